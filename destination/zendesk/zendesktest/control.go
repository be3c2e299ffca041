package zendesktest

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// controlRoutes is the API for tests and the development environment; docs/sandbox.md describes it.
func (s *Server) controlRoutes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sandbox/accounts", s.controlList)
	mux.HandleFunc("PUT /_sandbox/accounts/{name}/settings", s.controlConfigure)
	mux.HandleFunc("GET /_sandbox/accounts/{name}/settings", s.withAccount(s.controlShow))
	mux.HandleFunc("POST /_sandbox/accounts/{name}/reset", s.withAccount(s.controlReset))
	mux.HandleFunc("GET /_sandbox/accounts/{name}/stats", s.withAccount(controlStats))
	mux.HandleFunc("GET /_sandbox/accounts/{name}/tickets.ndjson", s.withAccount(dumpTickets))
	mux.HandleFunc("GET /_sandbox/accounts/{name}/users.ndjson", s.withAccount(dumpUsers))
	mux.HandleFunc("GET /_sandbox/accounts/{name}/organizations.ndjson", s.withAccount(dumpOrganizations))
	mux.HandleFunc("GET /_sandbox/stats", func(w http.ResponseWriter, r *http.Request) {
		replyStats(w, r, s.statistics)
	})
	mux.HandleFunc("GET /_sandbox/edge", func(w http.ResponseWriter, r *http.Request) {
		reply(w, http.StatusOK, s.edge.current())
	})
	mux.HandleFunc("PUT /_sandbox/edge", s.controlEdge)
	return mux
}

func reply(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value) //nolint:errcheck // a client that has gone is none of the server's business
}

func replyError(w http.ResponseWriter, status int, text string) {
	reply(w, status, map[string]string{"error": text})
}

func (s *Server) withAccount(handle func(*account, http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a := s.account(r.PathValue("name"))
		if a == nil {
			replyError(w, http.StatusNotFound, "no account "+r.PathValue("name")+": create it with PUT /_sandbox/accounts/"+r.PathValue("name")+"/settings")
			return
		}
		handle(a, w, r)
	}
}

// accountView is the answer of PUT and GET settings: the settings, and how to get in.
type accountView struct {
	Name              string `json:"name"`
	URL               string `json:"url"`
	Token             string `json:"token"`
	AgentToken        string `json:"agent_token"`
	AdminEmail        string `json:"admin_email"`
	OAuthClientID     string `json:"oauth_client_id"`
	OAuthClientSecret string `json:"oauth_client_secret"`
	OAuthRefreshToken string `json:"oauth_refresh_token"`
	Settings
}

func (s *Server) controlShow(a *account, w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	view := accountView{
		Name:              a.name,
		URL:               baseURL(r, a.name),
		Token:             "sandbox-" + a.name,
		AgentToken:        "sandbox-" + a.name + "-agent",
		AdminEmail:        a.users.all[0].email(),
		OAuthClientID:     a.oauthClientID(),
		OAuthClientSecret: a.oauthClientSecret(),
		OAuthRefreshToken: a.tokens.current,
		Settings:          a.settings,
	}
	a.mu.Unlock()
	reply(w, http.StatusOK, view)
}

func (s *Server) controlConfigure(w http.ResponseWriter, r *http.Request) {
	patch, err := io.ReadAll(r.Body)
	if err != nil {
		replyError(w, http.StatusBadRequest, err.Error())
		return
	}
	a, err := s.configure(r.PathValue("name"), patch)
	if err != nil {
		replyError(w, http.StatusBadRequest, err.Error())
		return
	}
	s.controlShow(a, w, r)
}

func (s *Server) controlReset(a *account, w http.ResponseWriter, r *http.Request) {
	if err := a.reset(); err != nil {
		replyError(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) controlList(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string][]string{"accounts": slices.Sorted(maps.Keys(*s.accounts.Load()))})
}

func (s *Server) controlEdge(w http.ResponseWriter, r *http.Request) {
	patch, err := io.ReadAll(r.Body)
	if err == nil {
		err = s.edge.change(patch)
	}
	if err != nil {
		replyError(w, http.StatusBadRequest, err.Error())
		return
	}
	reply(w, http.StatusOK, s.edge.current())
}

func controlStats(a *account, w http.ResponseWriter, r *http.Request) {
	replyStats(w, r, a.statistics)
}

// replyStats takes arrivals=<milliseconds since 1970>, to list the arrivals since then.
func replyStats(w http.ResponseWriter, r *http.Request, statistics func(since int64) statistics) {
	since := int64(noArrivals)
	if text := r.URL.Query().Get("arrivals"); text != "" {
		var err error
		if since, err = strconv.ParseInt(text, 10, 64); err != nil {
			replyError(w, http.StatusBadRequest, "arrivals is "+text+": it must be milliseconds since 1970; 0 lists all")
			return
		}
	}
	reply(w, http.StatusOK, statistics(since))
}
