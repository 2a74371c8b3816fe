// Package probe is what ntl-probe prints, as values: the slots of a PKCS#11
// library, as the library itself tells them. ntl-probe writes the document with
// it, and whoever ran ntl-probe reads it with [Parse].
//
// The document, schema "ntl-probe/1" (fields are only ever added):
//
//	{"schema":"ntl-probe/1","library":"/usr/lib/libCryptoki2_64.so","result":"ok","exit":0,
//	 "about":{"manufacturer":"…","description":"…","version":"7.8","pkcs11":"2.20"},
//	 "slots":[{"slot":0,"description":"Net Token Slot","present":true,"initialised":true,
//	   "label":"part1","serial":"500752010","model":"LunaSA 7.7.1","manufacturer":"…","firmware":"7.7"},
//	  {"slot":1,"description":"…","present":false,"initialised":false}],
//	 "notes":["…"],
//	 "error":{"class":"remote","message":"…","hint":"…"}}
//
// result is "ok" or "failed"; error is there exactly when it is "failed", with a
// class of ntl-setup's own list. A slot that could not be asked has a problem.
//
// It promises:
//   - every text in a document is printable: the blanks and zeros that pad a
//     field are gone, and a control character is written as an escape;
//   - what is read is bounded, and what is no such document is an error that
//     says what came instead.
//
// It refuses to load a library: only ntl-probe does that, for a library can take
// its process down with it.
package probe
