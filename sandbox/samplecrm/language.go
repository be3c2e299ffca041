package samplecrm

// language is a small corpus: enough to show every script that a help desk
// meets, not to pass for literature.
type language struct {
	code, zone  string
	weight      int
	dial        string
	first, last []string
	subjects    []string // %d is an order number
	greetings   []string
	sentences   []string
	closings    []string
}

// languages lists the corpora. English is enlarged by gofakeit when the text
// pools are built.
func languages() []language {
	return []language{
		{
			code: "en-US", zone: "America/New_York", weight: 34, dial: "+1212555",
			first:     []string{"Emma", "Liam", "Olivia", "Noah", "Ava", "James", "Sophia", "Lucas"},
			last:      []string{"Miller", "Carter", "O'Brien", "Nguyen", "Smith-Jones", "Walker", "Brooks", "McDonald"},
			subjects:  []string{"Order %d has not arrived", "Invoice %d: wrong VAT number", "Cannot log in since the update", "Refund for order %d", "\"Out of stock\" although it is not", "Question about my subscription, again"},
			greetings: []string{"Hello,", "Hi there,", "Good morning,", "Dear support team,"},
			sentences: []string{"I placed an order last week and it still says \"processing\".", "The parcel arrived, but one of the cups is broken.", "Could you tell me when it will be shipped?", "I've tried it in Chrome, Firefox and Safari; same result.", "Please don't close this before somebody has looked at it.", "That did the trick, thanks a lot!", "We'll send a replacement today, free of charge.", "The price on the page was $1,299.00, not $1,399.00."},
			closings:  []string{"Best regards", "Thanks!", "Cheers", "Kind regards,"},
		},
		{
			code: "de", zone: "Europe/Berlin", weight: 10, dial: "+493055",
			first:     []string{"Jürgen", "Sabine", "Björn", "Käthe", "Lukas"},
			last:      []string{"Müller", "Groß", "Schäfer", "von der Heide", "Weiß"},
			subjects:  []string{"Bestellung %d fehlt", "Rechnung %d stimmt nicht", "Rückgabe – wie geht das?", "Größe umtauschen"},
			greetings: []string{"Guten Tag,", "Hallo zusammen,", "Sehr geehrte Damen und Herren,"},
			sentences: []string{"leider ist das Paket bis heute nicht angekommen.", "Könnten Sie mir bitte die Rechnung noch einmal schicken?", "Die Größe passt nicht; ich möchte umtauschen.", "Der Betrag von 1.299,00 € wurde zweimal abgebucht.", "Vielen Dank für die schnelle Antwort!", "Wir kümmern uns darum und melden uns übermorgen."},
			closings:  []string{"Mit freundlichen Grüßen", "Viele Grüße", "Schöne Grüße aus Köln"},
		},
		{
			code: "fr", zone: "Europe/Paris", weight: 7, dial: "+33155",
			first:     []string{"Élodie", "François", "Zoë", "Jérôme", "Anaïs"},
			last:      []string{"Lefèvre", "D'Aubigné", "Garçon", "Hébert", "Œuvrard"},
			subjects:  []string{"Commande n° %d non reçue", "Remboursement : où en est-on ?", "Problème d'accès à mon compte", "Facture %d erronée"},
			greetings: []string{"Bonjour,", "Madame, Monsieur,", "Salut !"},
			sentences: []string{"je n'ai toujours pas reçu ma commande.", "Pourriez-vous vérifier l'adresse de livraison ?", "Le colis a été déposé chez le voisin, à côté de la boulangerie.", "Le montant débité s'élève à 1 299,00 €.", "C'est réglé, merci beaucoup pour votre aide !", "Nous avons transmis votre demande au dépôt."},
			closings:  []string{"Cordialement", "Bien à vous", "Merci d'avance"},
		},
		{
			code: "es", zone: "Europe/Madrid", weight: 7, dial: "+34915",
			first:     []string{"Íñigo", "Begoña", "José María", "Lucía", "Ángel"},
			last:      []string{"Muñoz", "García Peña", "Ibáñez", "Núñez", "Agüero"},
			subjects:  []string{"¿Dónde está mi pedido %d?", "Devolución del pedido %d", "Cobro duplicado", "No puedo iniciar sesión"},
			greetings: []string{"Buenos días:", "Hola,", "Estimado equipo:"},
			sentences: []string{"mi pedido lleva diez días de retraso.", "¿Podrían decirme cuándo llegará?", "El artículo llegó dañado; adjunto una foto.", "¡Muchísimas gracias por la rapidez!", "Me han cobrado dos veces la misma factura.", "Mañana le enviamos otro sin coste."},
			closings:  []string{"Un saludo", "Atentamente", "Gracias"},
		},
		{
			code: "pt-BR", zone: "America/Sao_Paulo", weight: 5, dial: "+551155",
			first:     []string{"João", "Conceição", "Luís", "Fátima"},
			last:      []string{"Gonçalves", "Simões", "da Conceição", "Araújo"},
			subjects:  []string{"Pedido %d não chegou", "Cobrança indevida", "Troca de tamanho"},
			greetings: []string{"Olá,", "Bom dia!", "Prezados,"},
			sentences: []string{"o meu pedido ainda não chegou.", "Vocês podem confirmar o endereço de entrega?", "A cor não é a mesma da foto.", "Obrigado, já está resolvido!", "Vamos verificar e retornamos amanhã."},
			closings:  []string{"Atenciosamente", "Abraços", "Obrigada"},
		},
		{
			code: "pl", zone: "Europe/Warsaw", weight: 4, dial: "+48225",
			first:     []string{"Łukasz", "Małgorzata", "Żaneta", "Paweł"},
			last:      []string{"Wójcik", "Źródłowska", "Król", "Ćwikła"},
			subjects:  []string{"Zamówienie %d – brak przesyłki", "Błędna faktura", "Zwrot pieniędzy"},
			greetings: []string{"Dzień dobry,", "Cześć,", "Szanowni Państwo,"},
			sentences: []string{"paczka nadal nie dotarła.", "Proszę o fakturę na firmę.", "Zażółć gęślą jaźń – tak wyglądają u mnie litery w mailu.", "Dziękuję, wszystko działa.", "Sprawdzimy to jeszcze dzisiaj."},
			closings:  []string{"Pozdrawiam", "Z poważaniem"},
		},
		{
			code: "tr", zone: "Europe/Istanbul", weight: 3, dial: "+90212555",
			first:     []string{"Işıl", "Çağrı", "Gökçe", "İbrahim"},
			last:      []string{"Yılmaz", "Öztürk", "Şahin", "Ğüneş"},
			subjects:  []string{"%d numaralı sipariş", "İade işlemi", "Şifremi sıfırlayamıyorum"},
			greetings: []string{"Merhaba,", "İyi günler,"},
			sentences: []string{"siparişim hâlâ gelmedi.", "Fatura bilgilerimi değiştirmek istiyorum.", "Ürün kırık çıktı, değişim rica ediyorum.", "Teşekkürler, sorun çözüldü.", "Konuyu ilgili birime ilettik."},
			closings:  []string{"Saygılarımla", "Teşekkürler"},
		},
		{
			code: "ru", zone: "Europe/Moscow", weight: 5, dial: "+7495555",
			first:     []string{"Алёна", "Дмитрий", "Наталья", "Пётр"},
			last:      []string{"Соловьёва", "Щербаков", "Объедков", "Юрьева"},
			subjects:  []string{"Заказ № %d не пришёл", "Возврат денег", "Не могу войти в кабинет"},
			greetings: []string{"Здравствуйте!", "Добрый день,"},
			sentences: []string{"заказ до сих пор не доставлен.", "Подскажите, пожалуйста, когда ждать курьера?", "В счёте указан чужой адрес.", "Спасибо, всё заработало!", "Мы передали вопрос на склад."},
			closings:  []string{"С уважением", "Заранее спасибо"},
		},
		{
			code: "el", zone: "Europe/Athens", weight: 3, dial: "+30210555",
			first:     []string{"Γιώργος", "Ελένη", "Αλέξανδρος"},
			last:      []string{"Παπαδόπουλος", "Αγγέλου", "Ψαράς"},
			subjects:  []string{"Η παραγγελία %d δεν ήρθε", "Επιστροφή χρημάτων"},
			greetings: []string{"Καλημέρα,", "Γεια σας,"},
			sentences: []string{"το δέμα δεν έχει φτάσει ακόμη.", "Μπορείτε να ελέγξετε τη διεύθυνση;", "Ευχαριστώ πολύ για τη βοήθεια!", "Θα επικοινωνήσουμε μαζί σας αύριο."},
			closings:  []string{"Με εκτίμηση", "Ευχαριστώ"},
		},
		{
			code: "ar", zone: "Africa/Cairo", weight: 4, dial: "+20255",
			first:     []string{"محمد", "فاطمة", "يوسف"},
			last:      []string{"عبد الرحمن", "الشريف", "حداد"},
			subjects:  []string{"الطلب رقم %d لم يصل", "استرداد المبلغ", "لا أستطيع تسجيل الدخول"},
			greetings: []string{"مرحباً،", "السلام عليكم،"},
			sentences: []string{"لم يصل طلبي حتى الآن.", "هل يمكنكم تأكيد العنوان (شارع 15، مبنى B-2)؟", "شكراً جزيلاً، تم حل المشكلة.", "سنرد عليكم خلال ٢٤ ساعة."},
			closings:  []string{"مع أطيب التحيات", "شكراً"},
		},
		{
			code: "he", zone: "Asia/Jerusalem", weight: 3, dial: "+9722555",
			first:     []string{"נועה", "יוסי", "תמר"},
			last:      []string{"כהן", "לוי", "בן־דוד"},
			subjects:  []string{"הזמנה %d לא הגיעה", "בקשה להחזר כספי"},
			greetings: []string{"שלום,", "היי,"},
			sentences: []string{"ההזמנה שלי עדיין לא הגיעה.", "אפשר לשנות את הכתובת ל-\"רחוב הרצל 12\"?", "תודה רבה, הכול הסתדר!", "נחזור אליכם מחר בבוקר."},
			closings:  []string{"בברכה", "תודה"},
		},
		{
			code: "zh-CN", zone: "Asia/Shanghai", weight: 4, dial: "+8621555",
			first:     []string{"伟", "芳", "秀英"},
			last:      []string{"王", "李", "欧阳"},
			subjects:  []string{"订单%d还没有收到", "申请退款", "无法登录账户"},
			greetings: []string{"您好，", "你好！"},
			sentences: []string{"我的包裹还没有到。", "请问什么时候可以发货？", "收到的商品颜色不对，想换货。", "问题已经解决，谢谢！", "我们会在两个工作日内回复您。"},
			closings:  []string{"此致敬礼", "谢谢"},
		},
		{
			code: "ja", zone: "Asia/Tokyo", weight: 4, dial: "+813555",
			first:     []string{"太郎", "さくら", "ケンジ"},
			last:      []string{"佐藤", "髙橋", "渡邉"},
			subjects:  []string{"注文%dが届きません", "返金のお願い", "ログインできません"},
			greetings: []string{"お世話になっております。", "こんにちは。"},
			sentences: []string{"注文した商品がまだ届いておりません。", "配送先の住所を変更していただけますか？", "無事に解決しました。ありがとうございます！", "担当者に確認いたします。"},
			closings:  []string{"よろしくお願いいたします。", "敬具"},
		},
		{
			code: "ko", zone: "Asia/Seoul", weight: 3, dial: "+822555",
			first:     []string{"민준", "서연"},
			last:      []string{"김", "박", "이"},
			subjects:  []string{"주문 %d 배송 문의", "환불 요청"},
			greetings: []string{"안녕하세요,", "수고하십니다."},
			sentences: []string{"주문한 상품이 아직 도착하지 않았습니다.", "주소를 변경할 수 있을까요?", "해결되었습니다. 감사합니다!", "확인 후 다시 연락드리겠습니다."},
			closings:  []string{"감사합니다", "수고하세요"},
		},
		{
			code: "hi", zone: "Asia/Kolkata", weight: 2, dial: "+911155",
			first:     []string{"आरव", "प्रिया"},
			last:      []string{"शर्मा", "कृष्णन"},
			subjects:  []string{"ऑर्डर %d नहीं मिला", "पैसे वापस चाहिए"},
			greetings: []string{"नमस्ते,"},
			sentences: []string{"मेरा ऑर्डर अभी तक नहीं आया है।", "कृपया पता बदल दीजिए।", "धन्यवाद, समस्या हल हो गई!"},
			closings:  []string{"धन्यवाद", "सादर"},
		},
		{
			code: "th", zone: "Asia/Bangkok", weight: 2, dial: "+66255",
			first:     []string{"สมชาย", "มาลี"},
			last:      []string{"ใจดี", "ศรีสุข"},
			subjects:  []string{"ยังไม่ได้รับคำสั่งซื้อ %d", "ขอเงินคืน"},
			greetings: []string{"สวัสดีค่ะ", "สวัสดีครับ"},
			sentences: []string{"ยังไม่ได้รับสินค้าที่สั่งไว้เลย", "ขอเปลี่ยนที่อยู่จัดส่งได้ไหมคะ", "ขอบคุณมากครับ ใช้งานได้แล้ว"},
			closings:  []string{"ขอบคุณค่ะ", "ขอบคุณครับ"},
		},
	}
}

// oddBodies are whole messages that go wrong in careless software: formulas,
// quotes, separators, control characters, surrogate pairs, mixed directions.
func oddBodies() []string {
	return []string{
		"=1+1",
		"=HYPERLINK(\"https://example.com\";\"click\")",
		"+49 30 901820",
		"-5 degrees in the parcel, everything frozen",
		"@support anyone there?",
		"\"quoted from the first to the last character\"",
		"He said \"it's \"\"fine\"\"\", then hung up",
		"one,two;three\tfour|five",
		"line one\nline two\n\nline four",
		"line one\r\nline two\r\n\r\nline four",
		"a lone carriage return\rin the middle",
		"\\N is not null, \\. is not the end, \\n is not a new line, C:\\temp\\new",
		"null",
		"0012345",
		"1e10",
		"2024-02-30",
		"👍",
		"👩‍👩‍👧‍👦 family, 🏳️‍🌈 flag, 🇩🇪 country, 👋🏽 skin, 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 and 𠜎",
		"e\u0301 composed by hand, é at once; ﬁ ligature; Ⅷ; ½",
		"left to right \u202eereht dna thgir ot\u202c here again \u200f‏",
		"עברית and English and عربي in one line, 100% (ok?)",
		"zero\u200bwidth\u2060joiners\ufeffinside",
		"non\u00a0breaking\u202fspaces and a soft\u00adhyphen",
		"Before\u2028line separator\u2029paragraph separator.",
		"{\"json\": [1, 2, {\"a\": null}]} <not-a-tag> &amp; &lt;b&gt;",
		"'; drop table tickets; --",
		"${jndi:ldap://example.com/a} {{7*7}} %s %d %00",
		"Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"?",
	}
}

// oddSubjects likewise. They stay within Zendesk's 255 characters.
func oddSubjects() []string {
	return []string{
		"=SUM(A1:A9)",
		"-1",
		"@here",
		"\"Quoted\"",
		"Re: Re: AW: Fwd: TR: your message, \"urgent\"; please",
		"🔥🔥🔥 ASAP 🔥🔥🔥",
		"شكوى: order 7",
		"a\tb",
		"O'Neill & Söhne <info@example.com>",
		"\\N",
		longSubject(),
	}
}

// longSubject has exactly 255 characters, most of them of several bytes.
func longSubject() string {
	r := make([]rune, 255)
	for i := range r {
		r[i] = []rune("Länge! 長い件名 ")[i%12]
	}
	r[254] = '.'
	return string(r)
}
