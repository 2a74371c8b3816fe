package ui

import (
	"io"
	"os"
)

func openTTY() (*os.File, io.Writer, error) {
	in, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return nil, nil, err
	}
	out, err := os.OpenFile("CONOUT$", os.O_RDWR, 0)
	if err != nil {
		_ = in.Close() // the second one's error is the one to tell
		return nil, nil, err
	}
	return in, out, nil
}
