package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
)

func TestTakenPortIsNamedWithItsHolderAndTheVariable(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", loopback(0))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port

	err = checkPorts([]portSetting{{port, serverPostgres, "FAREWELL_POSTGRES_PORT"}}, state{})
	if err == nil {
		t.Fatal("a taken port was accepted")
	}
	for _, part := range []string{
		fmt.Sprintf("port %d", port), "for postgres", fmt.Sprintf("(process %d)", os.Getpid()), "set FAREWELL_POSTGRES_PORT",
	} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %q", err)
	}
}

func TestPortsOfOurOwnServersArePassedOver(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", loopback(0))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	ours := state{Servers: []serverState{{Name: serverPostgres, Ports: []int{port}, Process: newProcess(os.Getpid())}}}

	if err := checkPorts([]portSetting{{port, serverPostgres, "FAREWELL_POSTGRES_PORT"}}, ours); err != nil {
		t.Error(err)
	}
}

func TestListeningSocketIsFoundInTheKernelsTable(t *testing.T) {
	t.Parallel()
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:D4D0 0100007F:8F3A 01 00000000:00000000 00:00000000 00000000   101        0 1111 1
   1: 0100007F:D4D0 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 2222 1
`
	if got := listeningInode(table, 54480); got != "2222" {
		t.Errorf("inode %q, want that of the socket that listens", got)
	}
	if got := listeningInode(table, 54481); got != "" {
		t.Errorf("inode %q for a port that nobody has", got)
	}
}
