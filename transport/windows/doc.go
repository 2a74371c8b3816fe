// Package windows reads and changes a client host that runs Windows, through
// the OpenSSH server that Microsoft ships: command lines of cmd.exe for what
// programs know, SFTP for the content of files.
//
// It promises:
//   - paths as the rest of the program writes them, with slashes and a drive
//     ("C:/Program Files/SafeNet/LunaClient"); they become C:\… for cmd.exe and
//     /C:/… for SFTP here and nowhere else;
//   - the same whether the user's default shell is cmd.exe or PowerShell: the
//     latter is handed the line in a form without one character that it could
//     understand otherwise ([Detect] finds out which it is);
//   - bytes as they are: content travels by SFTP alone, never through a console;
//   - looking leaves nothing behind, not even a temporary file;
//   - a file is written beside its place, whole, and gets there by one command
//     of the machine itself, so that a dropped line cuts nothing in half; it is
//     copied over the old one, which so keeps its owner and its access list;
//   - while a lock is held (a beat went before an action) the command line that
//     acts asks for the lock itself, and ends if it is gone.
//
// It takes more round trips than a POSIX host: a look is one or two command
// lines and then all files side by side; an action is one command line, and
// those that carry content two or three transfers before it.
//
// It refuses:
//   - a path with a character that cmd.exe would not take as it is within quotes
//     (% and ! above all, which cannot be escaped there), or beyond ASCII, which
//     reads differently in each code page;
//   - to read a private key: the machine itself is asked for the PEM header, by
//     searches whose answer is yes or no. The key's public half cannot be had: no
//     tool of Windows gives it;
//   - to set modes (there are none), to start or to stop programs.
//
// A program that was started and whose connection is lost meanwhile goes on by
// itself, as far as is known: the server closes its output, which ends nothing.
package windows
