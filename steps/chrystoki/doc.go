// Package chrystoki reads and edits Chrystoki.conf, the configuration of a Luna
// client, without losing a byte. It is pure: text in, text out.
//
// The format is a flat list of sections, each a list of entries:
//
//	LunaSA Client = {
//	   NetClient = 1;
//	   ServerName00 = 192.0.2.10;
//	}
//
// The file belongs to others as well: vtl, lunacm, configurator, package
// upgrades and people all write it, each in an own style. So indentation, blank
// lines, the form of the equals sign, comments and line ends mean nothing here
// and survive everything.
//
// It promises:
//   - [Parse] followed by [File.Bytes] gives back the very same bytes;
//   - [File.Set] of an entry that is there changes the bytes of its value alone;
//     what is added takes the indentation, the form of the equals sign and the
//     line end of its neighbours;
//   - an edit that would not read back as intended is not made;
//   - names are compared without regard to ASCII case, as the spelling differs
//     between client versions (reconnAtt, ReconnAtt). The one exception is the
//     section HASynchronize, whose keys are labels that people chose;
//   - [Diff] and [SyntaxError] do not show the values of entries that are named
//     like a secret (AuthTokenClientSecret of the cloud HSM's section REST).
//
// It refuses, with a [SyntaxError], what readers of the format may understand
// in different ways: a section that is not closed, braces within a section,
// entries that do not end on their line, a name that stands twice, control
// characters. Such a file is damaged or of another kind, and is for a person to
// mend.
//
// A Windows client has the same entries in crystoki.ini, as an ordinary INI file
// ([ParseINI]): the same promises hold for it, and what comes out is the same
// [File]. The paths of the link are told with slashes and written with
// backslashes there, so that who uses them need not know which of both it is.
//
// Nothing here knows files or machines; who writes the result keeps owner,
// group and mode. The grammars are in scan.go and ini.go, the layout of new
// lines in style.go.
package chrystoki
