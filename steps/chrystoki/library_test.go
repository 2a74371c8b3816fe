package chrystoki

import "testing"

func TestLibrary(t *testing.T) {
	for name, c := range map[string]struct {
		text, want string
		haOnly     bool
	}{
		"none":     {text: "Luna = {\n  DefaultTimeOut = 500000;\n}\n"},
		"the one":  {text: "Chrystoki2 = {\n   LibUNIX = /l/32.so;\n   LibUNIX64    = /l/libCryptoki2_64.so;\n}\n", want: "/l/libCryptoki2_64.so"},
		"old name": {text: "chrystoki2 = {\n   libunix64=/l/a.so;\n}\n", want: "/l/a.so"},
		"a log in between": {
			text: "Chrystoki2 = {\n LibUNIX64 = /l/libcklog2.so;\n}\nCkLog2 = {\n Enabled = 1;\n LibUNIX64 = /l/real.so;\n}\n",
			want: "/l/real.so",
		},
		"a log in between, and nothing behind it": {text: "Chrystoki2 = {\n LibUNIX64 = /l/libcklog2.so;\n}\n"},
		"a log that is not used":                  {text: "Chrystoki2 = {\n LibUNIX64 = /l/a.so;\n}\nCkLog2 = {\n LibUNIX64 = /l/b.so;\n}\n", want: "/l/a.so"},
		"HA only":                                 {text: "HAConfiguration = {\n  HAOnly = 1;\n}\n", haOnly: true},
		"HA and its members":                      {text: "HAConfiguration = {\n  HAOnly = 0;\n}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Parse([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := f.Library(); got != c.want {
				t.Errorf("library %q, want %q", got, c.want)
			}
			if got := f.HAOnly(); got != c.haOnly {
				t.Errorf("HAOnly %v", got)
			}
		})
	}
}
