package zendesk

import (
	"syscall"
	"time"
)

// tcpUserTimeout is how long sent bytes may stay unacknowledged before the
// kernel gives the connection up: the same 20 s as SendWithin, so that the
// kernel does not deliver a request that everybody has forgotten.
const tcpUserTimeout = 20 * time.Second

// tcpUserTimeoutOption is TCP_USER_TIMEOUT of linux/tcp.h, which package
// syscall lacks.
const tcpUserTimeoutOption = 0x12

func limitUnacknowledged(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeoutOption, int(tcpUserTimeout/time.Millisecond))
	})
	if err != nil {
		return err
	}
	return failed
}
