package vtl

import "testing"

func BenchmarkParseVerify(b *testing.B) {
	out := samples(b)["verify-109-linux"]
	b.SetBytes(int64(len(out)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseVerify(out); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseListServers(b *testing.B) {
	out := samples(b)["listservers-three-62"]
	b.SetBytes(int64(len(out)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseListServers(out); err != nil {
			b.Fatal(err)
		}
	}
}
