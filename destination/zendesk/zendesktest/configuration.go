package zendesktest

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
)

// entries answers with a page of a list of the account's configuration.
func entries(q *request, name string, shown []map[string]any) answer {
	return list(q, name, len(shown), func(e *encoder, i int) { e.raw(mustMarshal(shown[i])) })
}

// listTicketFields is GET /api/v2/ticket_fields: the system's fields, and those configured. Without pagination it shows all.
func listTicketFields(a *account, q *request) answer {
	shown := make([]map[string]any, 0, len(systemFields)+len(a.settings.TicketFields))
	for i, kind := range systemFields {
		shown = append(shown, map[string]any{"id": systemFieldID + int64(i), "type": kind, "title": kind, "raw_title": kind, "active": true, "required": false, "removable": false})
	}
	for _, field := range a.settings.TicketFields {
		shown = append(shown, shownField(field, map[string]any{"active": true, "required": false, "removable": true}))
	}
	if q.query.Has("page[size]") {
		slices.SortFunc(shown, func(x, y map[string]any) int { return cmp.Compare(idOf(x), idOf(y)) })
		return entries(q, "ticket_fields", shown)
	}
	return jsonAnswer(http.StatusOK, mustMarshal(map[string]any{"ticket_fields": shown, "next_page": nil, "previous_page": nil, "count": len(shown)}))
}

func idOf(entry map[string]any) int64 {
	switch id := entry["id"].(type) {
	case float64:
		return int64(id)
	case int64:
		return id
	}
	return 0
}

func listUserFields(a *account, q *request) answer {
	return entries(q, "user_fields", shownFields(a.settings.UserFields))
}

func listOrganizationFields(a *account, q *request) answer {
	return entries(q, "organization_fields", shownFields(a.settings.OrganizationFields))
}

func shownFields(configured []map[string]any) []map[string]any {
	shown := make([]map[string]any, len(configured))
	for i, field := range configured {
		shown[i] = shownField(field, map[string]any{"active": true, "system": false, "description": "", "position": i})
	}
	return shown
}

// shownField is a field as it was configured, with what every field has besides.
func shownField(configured, standard map[string]any) map[string]any {
	shown := maps.Clone(standard)
	maps.Copy(shown, configured)
	if _, ok := shown["raw_title"]; !ok {
		shown["raw_title"] = shown["title"]
	}
	return shown
}

func listGroups(a *account, q *request) answer {
	return entries(q, "groups", shownReferences(a.settings.Groups, a.groups))
}

func listBrands(a *account, q *request) answer {
	shown := shownReferences(a.settings.Brands, a.brands)
	for i := range shown {
		shown[i] = maps.Clone(shown[i])
		if shown[i]["subdomain"] == nil {
			shown[i]["subdomain"] = a.name
		}
	}
	return entries(q, "brands", shown)
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
		"api":             map[string]any{"accepted_api_agreement": true, "api_password_access_end_users": false, "api_token_access": "true"},
		"tickets":         map[string]any{"tagging": true, "allow_collaboration_on_tickets": true, "maximum_personal_views_to_list": 8},
		"users":           map[string]any{"tagging": true, "time_zone_selection": true, "language_selection": true},
		"limits":          map[string]any{"attachment_size": a.settings.MaxUploadBytes},
		"localization":    map[string]any{"locale_ids": []int{1}},
	}}))
}
