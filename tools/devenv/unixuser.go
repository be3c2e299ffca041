package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// unixUser is whom a server runs as, when that is not ourselves.
type unixUser struct {
	Name string `json:"name"`
	UID  uint32 `json:"uid"`
	GID  uint32 `json:"gid"`
}

func (u *unixUser) credential() *syscall.Credential {
	if u == nil {
		return nil
	}
	return &syscall.Credential{Uid: u.UID, Gid: u.GID}
}

// own hands a folder over to the user.
func (u *unixUser) own(path string) error {
	if u == nil {
		return nil
	}
	return os.Chown(path, int(u.UID), int(u.GID))
}

// canRun says whether the user can run the program from that folder.
func (u *unixUser) canRun(dir, program string, args ...string) bool {
	return u.command(dir, program, args...).Run() == nil
}

func (u *unixUser) command(dir, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: u.credential()}
	return cmd
}

func lookupUnixUser(name string) (*unixUser, error) {
	found, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s has the id %q: %w", name, found.Uid, err)
	}
	gid, err := strconv.ParseUint(found.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s has the group id %q: %w", name, found.Gid, err)
	}
	return &unixUser{Name: name, UID: uint32(uid), GID: uint32(gid)}, nil
}
