package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// checkPorts refuses ports that somebody else listens on.
func checkPorts(ports []portSetting, ours state) error {
	var all error
	for _, p := range ports {
		if ours.listens(p.port) || !portTaken(p.port) {
			continue
		}
		all = errors.Join(all, portError(p, portHolder(p.port)))
	}
	return all
}

func portError(p portSetting, holder string) error {
	if holder == "" {
		holder = "another program (not visible to this user)"
	}
	return fmt.Errorf("port %d, for %s, is taken by %s: stop that program, or set %s to a free port", p.port, p.server, holder, p.variable)
}

// portTaken tries both ways: macOS lets a second program listen on 127.0.0.1
// where another one listens on all addresses.
func portTaken(port int) bool {
	listener, err := net.Listen("tcp", loopback(port))
	if err != nil {
		return true
	}
	listener.Close()
	conn, err := net.DialTimeout("tcp", loopback(port), time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// freePort asks the system for a port that nobody uses now.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", loopback(0))
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// portHolder says which process listens on a port, empty when that cannot be
// seen.
func portHolder(port int) string {
	pid := holderFromProc(port)
	if pid == 0 {
		out, err := exec.Command("lsof", "-nP", "-t", "-iTCP:"+strconv.Itoa(port), "-sTCP:LISTEN").Output()
		if err != nil {
			return ""
		}
		first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		if pid, err = strconv.Atoi(first); err != nil {
			return ""
		}
	}
	return fmt.Sprintf("%s (process %d)", programOf(pid), pid)
}

// holderFromProc finds the listening socket in /proc/net/tcp, see proc_net(5),
// and then the process that has it open.
func holderFromProc(port int) int {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		if inode := listeningInode(string(data), port); inode != "" {
			return ownerOfSocket(inode)
		}
	}
	return 0
}

func listeningInode(table string, port int) string {
	suffix := fmt.Sprintf(":%04X", port)
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		const listen = "0A"
		if len(fields) > 9 && strings.HasSuffix(fields[1], suffix) && fields[3] == listen {
			return fields[9]
		}
	}
	return ""
}

func ownerOfSocket(inode string) int {
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return 0
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == "socket:["+inode+"]" {
			pid, _ := strconv.Atoi(strings.Split(link, "/")[2]) // the pattern allows only digits
			return pid
		}
	}
	return 0
}
