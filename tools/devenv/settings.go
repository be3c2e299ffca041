package main

import (
	"fmt"
	"strconv"
)

// settings are what the caller's environment says about where things run.
type settings struct {
	temporalPort, uiPort, postgresPort, sandboxPort int

	// Servers that exist already; empty means that we start one.
	givenSource, givenLedger, givenTemporal, givenNamespace string

	// The caller's accounts file and time factor; empty means the sample's.
	givenAccounts, givenTimeFactor string

	// Where the caller's attachments are; empty means the sample's.
	givenOrigins, givenBucket string
}

// portSetting is one port: who listens there, and the variable that moves it.
type portSetting struct {
	port     int
	server   string
	variable string
}

// readSettings is the only reader of the caller's environment. The default
// ports are away from those of other installations on the same machine.
func readSettings(getenv func(string) string) (settings, error) {
	s := settings{
		givenSource:    getenv("FAREWELL_SOURCE_URL"),
		givenLedger:    getenv("FAREWELL_LEDGER_URL"),
		givenTemporal:  getenv("TEMPORAL_ADDRESS"),
		givenNamespace: getenv("TEMPORAL_NAMESPACE"),

		givenAccounts:   getenv("FAREWELL_ACCOUNTS"),
		givenTimeFactor: getenv("FAREWELL_TIME_FACTOR"),

		givenOrigins: getenv("FAREWELL_ATTACHMENT_ORIGINS"),
		givenBucket:  getenv("FAREWELL_ATTACHMENT_BUCKET"),
	}
	for _, p := range []struct {
		variable string
		into     *int
		standard int
	}{
		{"FAREWELL_TEMPORAL_PORT", &s.temporalPort, 7480},
		{"FAREWELL_UI_PORT", &s.uiPort, 8480},
		{"FAREWELL_POSTGRES_PORT", &s.postgresPort, 54480},
		{"FAREWELL_SANDBOX_PORT", &s.sandboxPort, 4480},
	} {
		*p.into = p.standard
		text := getenv(p.variable)
		if text == "" {
			continue
		}
		port, err := strconv.Atoi(text)
		if err != nil || port < 1 || port > 65535 {
			return settings{}, fmt.Errorf("%s is %q: it must be a port between 1 and 65535", p.variable, text)
		}
		*p.into = port
	}
	return s, s.checkPortsDiffer()
}

// ports lists those that we listen on with these settings.
func (s settings) ports() []portSetting {
	ports := []portSetting{{s.sandboxPort, serverSandbox, "FAREWELL_SANDBOX_PORT"}}
	if s.startsPostgres() {
		ports = append(ports, portSetting{s.postgresPort, serverPostgres, "FAREWELL_POSTGRES_PORT"})
	}
	if s.startsTemporal() {
		ports = append(ports,
			portSetting{s.temporalPort, serverTemporal, "FAREWELL_TEMPORAL_PORT"},
			portSetting{s.uiPort, serverTemporal, "FAREWELL_UI_PORT"})
	}
	return ports
}

func (s settings) checkPortsDiffer() error {
	seen := map[int]portSetting{}
	for _, p := range s.ports() {
		if other, taken := seen[p.port]; taken {
			return fmt.Errorf("%s and %s are both %d: set one of them to another port", other.variable, p.variable, p.port)
		}
		seen[p.port] = p
	}
	return nil
}

func (s settings) startsPostgres() bool { return s.givenSource == "" || s.givenLedger == "" }
func (s settings) startsTemporal() bool { return s.givenTemporal == "" }

func (s settings) sourceURL() string {
	if s.givenSource != "" {
		return s.givenSource
	}
	return postgresURL(s.postgresPort, sourceDatabase)
}

func (s settings) ledgerURL() string {
	if s.givenLedger != "" {
		return s.givenLedger
	}
	return postgresURL(s.postgresPort, ledgerDatabase)
}

func (s settings) temporalAddress() string {
	if s.givenTemporal != "" {
		return s.givenTemporal
	}
	return loopback(s.temporalPort)
}

func (s settings) namespace() string {
	if s.givenNamespace != "" {
		return s.givenNamespace
	}
	return "default"
}

// timeFactor is by how much the worker's waits are shortened. Accounts of the
// caller's own may be real ones, where a wait that is too short does harm.
func (s settings) timeFactor() string {
	switch {
	case s.givenTimeFactor != "":
		return s.givenTimeFactor
	case s.givenAccounts != "":
		return "1"
	default:
		return sampleTimeFactor
	}
}

func (s settings) sandboxURL() string { return "http://" + loopback(s.sandboxPort) }

// webUI is the Web UI's address, empty when Temporal is somebody else's.
func (s settings) webUI() string {
	if !s.startsTemporal() {
		return ""
	}
	return "http://" + loopback(s.uiPort)
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
