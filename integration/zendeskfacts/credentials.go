package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"farewell/destination"
	"farewell/destination/zendesk"
)

// authorization is the header for the account.
// https://developer.zendesk.com/api-reference/introduction/security-and-auth/
func authorization(ctx context.Context, a destination.Account) (string, error) {
	secret, err := a.Secret()
	if err != nil {
		return "", err
	}
	if a.Auth == zendesk.AuthBearer {
		return "Bearer " + secret, nil
	}
	first, second, _ := strings.Cut(secret, ":")
	if a.Auth == zendesk.AuthAPIToken {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(first+"/token:"+second)), nil
	}
	return accessToken(ctx, a.URL, first, second)
}

// tokenLife is longer than the tests take.
const tokenLife = 2 * time.Hour

func accessToken(ctx context.Context, url, id, secret string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	body, err := json.Marshal(map[string]any{
		"grant_type": "client_credentials", "client_id": id, "client_secret": secret,
		"scope": "read write", "expires_in": int(tokenLife.Seconds()),
	})
	if err != nil {
		return "", fmt.Errorf("ask for an access token: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/oauth/tokens", bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("ask for an access token: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("ask for an access token: %w", err)
	}
	defer res.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&token); err != nil || token.AccessToken == "" {
		return "", fmt.Errorf("ask for an access token: status %d, without a token; check the OAuth client's id and secret", res.StatusCode)
	}
	return "Bearer " + token.AccessToken, nil
}
