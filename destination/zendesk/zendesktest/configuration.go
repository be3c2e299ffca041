package zendesktest

import (
	"net/http"
)

// shownList answers with a list that is configured as it is shown, or with the standard one.
func shownList(name string, configured any, n int) answer {
	return jsonAnswer(http.StatusOK, `{"`+name+`":`+mustMarshal(configured)+`,"next_page":null,"previous_page":null,"count":`+itoa(int64(n))+`}`)
}

// listTicketFields is GET /api/v2/ticket_fields: the system's fields, and those configured.
func listTicketFields(a *account, q *request) answer {
	shown := make([]map[string]any, 0, len(systemFields)+len(a.settings.TicketFields))
	for i, kind := range systemFields {
		shown = append(shown, map[string]any{"id": systemFieldID + int64(i), "type": kind, "title": kind, "active": true, "required": false, "removable": false})
	}
	shown = append(shown, a.settings.TicketFields...)
	return shownList("ticket_fields", shown, len(shown))
}

func listUserFields(a *account, q *request) answer {
	return shownList("user_fields", append([]map[string]any{}, a.settings.UserFields...), len(a.settings.UserFields))
}

func listGroups(a *account, q *request) answer {
	return shownList("groups", shownReferences(a.settings.Groups, a.groups), len(a.groups))
}

func listBrands(a *account, q *request) answer {
	return shownList("brands", shownReferences(a.settings.Brands, a.brands), len(a.brands))
}

func shownReferences(configured []map[string]any, standard []reference) []map[string]any {
	if len(configured) > 0 {
		return configured
	}
	shown := make([]map[string]any, len(standard))
	for i, r := range standard {
		shown[i] = map[string]any{"id": r.id, "name": r.name, "default": i == 0, "deleted": false, "active": true}
	}
	return shown
}

// showAccountSettings is GET /api/v2/account/settings, as far as a migration asks for it.
func showAccountSettings(a *account, q *request) answer {
	return jsonAnswer(http.StatusOK, mustMarshal(map[string]any{"settings": map[string]any{
		"active_features": map[string]any{"customer_satisfaction": false, "user_org_fields": true, "ticket_forms": false, "multiple_organizations": true},
		"api":             map[string]any{"accepted_api_agreement": true, "api_password_access": false, "api_token_access": true},
		"tickets":         map[string]any{"tagging": true, "allow_collaboration_on_tickets": true, "maximum_personal_views_to_list": 8},
		"users":           map[string]any{"tagging": true, "time_zone_selection": true, "language_selection": true},
		"limits":          map[string]any{"attachment_size": a.settings.MaxUploadBytes},
		"localization":    map[string]any{"locale_ids": []int{1}},
	}}))
}
