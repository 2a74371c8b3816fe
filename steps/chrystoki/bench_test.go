package chrystoki

import "testing"

func BenchmarkParse(b *testing.B) {
	data := sample(b, "fresh-install")
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	f := mustParse(b, string(sample(b, "fresh-install")))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := f.Get(SectionClient, KeyNetClient); !ok {
			b.Fatal("not found")
		}
	}
}

func BenchmarkAddServer(b *testing.B) {
	f := mustParse(b, string(sample(b, "fresh-install")))
	b.ReportAllocs()
	for b.Loop() {
		if err := f.Clone().AddServer("hsm-new", 1792); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDiff(b *testing.B) {
	have := sample(b, "fresh-install")
	f := mustParse(b, string(have))
	if err := f.AddServer("hsm-new", 1792); err != nil {
		b.Fatal(err)
	}
	want := f.Bytes()
	b.ReportAllocs()
	for b.Loop() {
		if Diff("Chrystoki.conf", have, want) == "" {
			b.Fatal("no difference")
		}
	}
}
