package csvbundle

// readme is README.txt: for the person who finds the bundle in ten years.
const readme = `This folder holds the records of your help desk, as CSV files.

  organizations.csv  the companies of your customers
  users.csv          the people: customers and agents
  tickets.csv        the conversations
  comments.csv       their messages; the column ticket_id says to which ticket one belongs
  attachments.csv    the files at messages: names and sizes
  manifest.json      what should be here: rows, bytes and SHA-256 of each file

The format: UTF-8, separated by commas, the names of the columns in the first
row, lines ending in LF. A cell with a comma, a quote or a line break stands in
double quotes, and a double quote inside it is doubled. Messages hold line
breaks, so do not count lines to count rows.

A cell with nothing in it has no value (NULL). A cell with two quotes, "", has
a value: the empty text. Most programs show both as empty.

How to open it

  Excel        Data > From Text/CSV, file origin 65001 (UTF-8). Set columns with
               text to the type Text: some of it was written by strangers, and
               a text that begins with = + - or @ must not be run as a formula.
  LibreOffice  File > Open, character set UTF-8, separator comma, and leave
               "Evaluate formulas" off.
  Python       pandas.read_csv("tickets.csv", dtype=str)
  Postgres     \copy tickets from 'tickets.csv' with (format csv, header)

How to check it: run  sha256sum *.csv  (on Windows: Get-FileHash *.csv) and
compare with manifest.json.
`
