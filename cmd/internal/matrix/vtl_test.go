package matrix

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"ntl-setup/fixtures/faults"
	"ntl-setup/fixtures/luna"
	"ntl-setup/transport/transporttest"
)

const nothing = "Error: Unable to find any Luna SA slots/partitions among registered servers.\n"

// vtl is the client's tool. Its exit status is 0 whatever happens.
func (s *site) vtl(_ *transporttest.FakeHost, argv []string) (string, int) {
	words := strings.Join(argv[1:], " ")
	s.called = append(s.called, words)
	what := s.tool
	if !s.toolSet {
		what = s.inject.Pass(faults.Tool, words)
	}
	switch {
	case what == faults.Fails, what == faults.ReadOnly:
		return "Error: could not write or read a file.\n", 0
	case argv[1] == "createCert" && what == faults.DiskFull:
		s.client.Put(ownKey, nil, 0o600)
		return "Error: could not write the private key: No space left on device\n", 0
	case what == faults.DiskFull:
		return "Error: No space left on device\n", 0
	}
	text, status := s.do(argv, what)
	switch what {
	case faults.Banner:
		text = "vtl (64-bit) v10.4.1-7. Copyright (c) 2021 Lab Client. All rights reserved.\n\n" + text
	case faults.Silent:
		text = ""
	case faults.ErrorLast:
		text += "Error: something else went wrong.\n"
	default:
	}
	return text, status
}

func (s *site) do(argv []string, what faults.Kind) (string, int) {
	switch argv[1] {
	case "createCert":
		s.putKey()
		said := "Private Key created and written to: " + ownKey + "\n"
		if what == faults.Dies {
			return said, 137
		}
		s.client.Put(ownCert, s.kit.own, 0o644)
		s.made++
		said += "Certificate created and written to: " + ownCert + "\n"
		if what == faults.DiesLate { // before the configuration names it
			return said, 137
		}
		s.nameOwnPair()
		return said, 0
	case "addServer":
		cert, ok := s.client.Get(argv[5])
		if !ok {
			return "Error: could not open " + argv[5] + "\n", 0
		}
		for _, known := range s.conf().Servers() {
			if known.Name == argv[3] {
				return "\nThis server is already registered\n", 0
			}
		}
		s.trust(argv[3], cert, what)
		if what == faults.Dies || what == faults.DiesLate {
			return "", 137
		}
		return "\nNew server " + argv[3] + " successfully added to server list.\n", 0
	case "listServers":
		return s.listServers(), 0
	case "verify":
		return s.verify(), 0
	}
	return "Error: unknown command\n", 0
}

func (s *site) listServers() string {
	var b strings.Builder
	for _, server := range s.conf().Servers() {
		fmt.Fprintf(&b, "Server: %s  HTL required: no\n", server.Name)
	}
	if b.Len() == 0 {
		return "There are no servers registered.\n"
	}
	return b.String()
}

// verify is honest: it lists what the appliance would let this client reach.
func (s *site) verify() string {
	certFile, _ := s.conf().Identity()
	own, _ := s.client.Get(certFile)
	bundle, _ := s.client.Get(caFile)
	state, err := s.app.State()
	if err != nil {
		s.t.Error(err)
	}
	if !bytes.Contains(bundle, s.serverPEM()) {
		return nothing
	}
	rows := ""
	for _, c := range state.Clients {
		if strings.TrimSpace(c.Certificate) != strings.TrimSpace(string(own)) || time.Since(c.At) < s.setting.ntls {
			continue
		}
		rows += rowsOf(state, c)
	}
	if rows == "" {
		return nothing
	}
	return "\nThe following Luna SA Slots/Partitions were found:\n\nSlot\tSerial #        \tLabel\n====\t================\t=====\n" + rows + "\n"
}

func rowsOf(state luna.State, c luna.Client) string {
	rows := ""
	for i, a := range c.Partitions {
		for _, p := range state.Partitions {
			if p.Name == a.Partition {
				rows += fmt.Sprintf("   %d\t%16s \t%s\n", i, p.Serial, p.Name)
			}
		}
	}
	return rows
}

// late lets vtl work without anybody listening: a process that shows, and ends
// after d, its work done or not.
func (s *site) late(argv []string, d time.Duration, works bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pid := s.client.Launch(vtlPath, strings.Join(argv, " "))
	time.AfterFunc(d, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if works {
			s.tool, s.toolSet = "", true
			s.vtl(s.client, argv)
			s.toolSet = false
		}
		for i, p := range s.client.Running {
			if p.PID == pid {
				s.client.Running = append(s.client.Running[:i], s.client.Running[i+1:]...)
				break
			}
		}
	})
}
