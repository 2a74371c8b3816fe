//go:build linux && cgo

package main

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

// A library that crashes shall end the process by its own signal: Go's runtime
// would catch it and tell of goroutines.
static void own_signals(void) {
	int all[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
		signal(all[i], SIG_DFL);
}

// why_not_loaded is the loader's reason, NULL if there is none. The library
// stays loaded, so that this runs its initialisers once.
static char *why_not_loaded(const char *file) {
	void *handle = dlopen(file, RTLD_LAZY);
	const char *why = NULL;
	if (handle == NULL)
		why = dlerror();
	else if (dlsym(handle, "C_GetFunctionList") == NULL)
		why = "it is no PKCS#11 library: it has no C_GetFunctionList";
	else
		return NULL;
	return strdup(why != NULL ? why : "the loader does not say why");
}
*/
import "C"

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"github.com/miekg/pkcs11"

	"ntl-setup/transport"
	"ntl-setup/transport/probe"
)

// answerFile is the descriptor that a child answers on. The library may print to
// the others.
const answerFile = 3

// load is the child: it asks a library, and tells on the way what it is at.
func load(library string) int {
	syscall.CloseOnExec(answerFile)
	// No core files of a process that other programs' secrets may be mapped into.
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	C.own_signals()
	tell := json.NewEncoder(os.NewFile(answerFile, "answer"))
	at := func(call string) { _ = tell.Encode(progress{At: call}) } // a parent that is gone needs no answer
	end := askLibrary(library, at, func(d probe.Document) { _ = tell.Encode(progress{Answer: &d}) })
	if end != nil {
		_ = tell.Encode(progress{Note: probe.Text(end.Error())}) // likewise
	}
	return exitOK
}

// askLibrary answers before it ends the library, which may fail at that too.
func askLibrary(library string, at func(string), say func(probe.Document)) error {
	at("dlopen")
	if why := loadable(library); why != "" {
		say(probe.Fail(library, transport.ClassRemote, "", "it cannot be loaded: %s", why))
		return nil
	}
	at("C_GetFunctionList")
	ctx := pkcs11.New(library)
	if ctx == nil {
		say(probe.Fail(library, "internal", "", "it could be loaded once and not again"))
		return nil
	}
	at("C_Initialize")
	if err := ctx.Initialize(); err != nil && !errors.Is(err, pkcs11.Error(pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED)) {
		say(probe.Fail(library, transport.ClassRemote, "", "C_Initialize: %s", err))
		return nil
	}
	say(read(ctx, library, at))
	at("C_Finalize")
	if err := ctx.Finalize(); err != nil {
		return fmt.Errorf("C_Finalize: %w", err)
	}
	return nil
}

func loadable(library string) string {
	name := C.CString(library)
	defer C.free(unsafe.Pointer(name))
	why := C.why_not_loaded(name)
	defer C.free(unsafe.Pointer(why))
	if why == nil {
		return ""
	}
	return C.GoString(why)
}

// read asks an initialised library.
func read(ctx *pkcs11.Ctx, library string, at func(string)) probe.Document {
	d := probe.Document{Schema: probe.Schema, Library: probe.Text(library), Result: probe.OK, Slots: []probe.Slot{}}
	at("C_GetInfo")
	if info, err := ctx.GetInfo(); err != nil {
		d.Notes = append(d.Notes, "C_GetInfo: "+probe.Text(err.Error()))
	} else {
		d.About = &probe.About{
			Manufacturer: probe.Text(info.ManufacturerID), Description: probe.Text(info.LibraryDescription),
			Version: version(info.LibraryVersion), PKCS11: version(info.CryptokiVersion),
		}
	}
	at("C_GetSlotList")
	ids, err := ctx.GetSlotList(false) // also slots without a token
	if err != nil {
		return probe.Fail(library, transport.ClassRemote, "", "C_GetSlotList: %s", err)
	}
	for _, id := range ids {
		d.Slots = append(d.Slots, readSlot(ctx, id, at))
	}
	return d
}

func readSlot(ctx *pkcs11.Ctx, id uint, at func(string)) probe.Slot {
	s := probe.Slot{Slot: uint64(id)}
	at(fmt.Sprintf("C_GetSlotInfo of slot %d", id))
	info, err := ctx.GetSlotInfo(id)
	if err != nil {
		s.Problem = "C_GetSlotInfo: " + probe.Text(err.Error())
		return s
	}
	s.Description = probe.Text(info.SlotDescription)
	if s.Present = info.Flags&pkcs11.CKF_TOKEN_PRESENT != 0; !s.Present {
		return s
	}
	at(fmt.Sprintf("C_GetTokenInfo of slot %d", id))
	token, err := ctx.GetTokenInfo(id)
	if err != nil {
		s.Problem = "C_GetTokenInfo: " + probe.Text(err.Error())
		return s
	}
	s.Initialised = token.Flags&pkcs11.CKF_TOKEN_INITIALIZED != 0
	s.Label, s.Serial = probe.Text(token.Label), probe.Text(token.SerialNumber)
	s.Model, s.Manufacturer = probe.Text(token.Model), probe.Text(token.ManufacturerID)
	s.Firmware = version(token.FirmwareVersion)
	return s
}

func version(v pkcs11.Version) string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }
