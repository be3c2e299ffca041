package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"farewell/migration"
	"farewell/sandbox/samplecrm"
)

const (
	planPerMinute   = 700 // an Enterprise plan: https://developer.zendesk.com/api-reference/introduction/rate-limits/
	reservedPercent = 20
	controlTimeout  = 10 * time.Second
)

// accountsOptions say which accounts file is written for a sample.
type accountsOptions struct {
	file      string
	sandbox   string
	bundles   string
	timeScale float64
}

// sandboxAccount is what the control API says of an account.
type sandboxAccount struct {
	URL               string `json:"url"`
	Token             string `json:"token"`
	AdminEmail        string `json:"admin_email"`
	OAuthClientID     string `json:"oauth_client_id"`
	OAuthClientSecret string `json:"oauth_client_secret"`
}

// write creates the sandbox accounts, and then the file with a line per
// customer. What was there is replaced.
func (o accountsOptions) write(ctx context.Context, customers []samplecrm.CustomerSpec, out io.Writer) error {
	file, err := filepath.Abs(o.file)
	if err != nil {
		return fmt.Errorf("write the accounts file: %w", err)
	}
	bundles, err := filepath.Abs(o.bundles)
	if err != nil {
		return fmt.Errorf("write the accounts file: %w", err)
	}
	secrets := filepath.Join(filepath.Dir(file), "secrets")
	if err := os.MkdirAll(secrets, 0o700); err != nil {
		return fmt.Errorf("write the accounts file: %w", err)
	}
	lines := [][]string{{"customer", "destination", "account", "url", "plan_per_minute", "reserved_percent", "auth", "secret_ref", "agent"}}
	toZendesk := 0
	for _, c := range customers {
		if c.Destination == migration.DestinationCSV {
			lines = append(lines, []string{c.ID, c.Destination, c.ID + "-csv", bundles, "", "", "", "", ""})
			continue
		}
		line, err := o.zendesk(ctx, c, secrets, toZendesk)
		if err != nil {
			return err
		}
		lines = append(lines, line)
		toZendesk++
	}
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(lines); err != nil {
		return fmt.Errorf("write the accounts file: %w", err)
	}
	if err := replace(file, b.Bytes()); err != nil {
		return fmt.Errorf("write the accounts file: %w", err)
	}
	fmt.Fprintf(out, "wrote %s: %d customers to Zendesk, %d to CSV\n", file, toZendesk, len(customers)-toZendesk)
	return nil
}

// zendesk creates the customer's account in the sandbox and returns its line.
// The three kinds of credentials take turns.
func (o accountsOptions) zendesk(ctx context.Context, c samplecrm.CustomerSpec, secrets string, turn int) ([]string, error) {
	a, err := o.create(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("create the sandbox account %s: %w", c.ID, err)
	}
	auth, secret := "bearer", a.Token
	switch turn % 3 {
	case 1:
		auth, secret = "oauth_client_credentials", a.OAuthClientID+":"+a.OAuthClientSecret
	case 2:
		auth, secret = "api_token", a.AdminEmail+":"+a.Token
	}
	path := filepath.Join(secrets, c.ID)
	if err := replace(path, []byte(secret+"\n")); err != nil {
		return nil, fmt.Errorf("write the secret of account %s: %w", c.ID, err)
	}
	return []string{
		c.ID, migration.DestinationZendesk, c.ID, o.account(c.ID),
		strconv.Itoa(planPerMinute), strconv.Itoa(reservedPercent), auth, "file:" + path,
		samplecrm.StandInAgent(c),
	}, nil
}

// account is the account's address, as the worker calls it.
func (o accountsOptions) account(name string) string {
	return strings.TrimSuffix(o.sandbox, "/") + "/accounts/" + url.PathEscape(name)
}

func (o accountsOptions) create(ctx context.Context, c samplecrm.CustomerSpec) (sandboxAccount, error) {
	settings, err := json.Marshal(map[string]any{
		"plan_per_minute":     planPerMinute,
		"time_scale":          o.timeScale,
		"bulk_users":          true,
		"ticket_fields":       samplecrm.TicketFields(),
		"user_fields":         samplecrm.UserFields(),
		"organization_fields": samplecrm.OrganizationFields(),
		"agents":              samplecrm.Agents(c),
		"poison":              map[string]any{"marker": samplecrm.PoisonTag},
	})
	if err != nil {
		return sandboxAccount{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	address := strings.TrimSuffix(o.sandbox, "/") + "/_sandbox/accounts/" + url.PathEscape(c.ID) + "/settings"
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, address, bytes.NewReader(settings))
	if err != nil {
		return sandboxAccount{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return sandboxAccount{}, fmt.Errorf("%w: start it with `sandbox serve`, or name it by --sandbox", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return sandboxAccount{}, err
	}
	if resp.StatusCode != http.StatusOK {
		return sandboxAccount{}, fmt.Errorf("%s from %s: %s", resp.Status, address, bytes.TrimSpace(body))
	}
	var a sandboxAccount
	if err := json.Unmarshal(body, &a); err != nil {
		return sandboxAccount{}, fmt.Errorf("read the answer of %s: %w", address, err)
	}
	return a, nil
}

// replace writes a file that only its owner may read, in one step: a worker
// that follows it never sees half of it.
func replace(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // made with mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the first error is the one that matters
	}
	return err
}
