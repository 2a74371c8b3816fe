package steps

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"ntl-setup/steps/vtl"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
)

// telling is how a row of `vtl verify` is told to be a partition of this HSM.
// vtl lists the rows of all HSMs together and does not say whose a row is;
// labels repeat from HSM to HSM, and are no names of partitions. What tells is
// the serial number, which the appliance knows.
type telling struct {
	rows []lunash.Partition // the appliance's partitions
	open bool               // this user may ask for them
	// alone: this HSM is the only one that the client is registered with, so that
	// every row is its own.
	alone bool
}

// telling asks the appliance for its serial numbers, where this user may.
func (e *eyes) telling(ctx context.Context, c *clientFacts) (telling, error) {
	rows, err := e.partitions(ctx)
	if err != nil && !errors.Is(err, lunash.ErrNotAllowed) {
		return telling{}, err
	}
	others := slices.ContainsFunc(c.servers, func(s string) bool { return !sameAddress(s, e.link.HSMAddress) })
	return telling{rows: rows, open: err == nil, alone: len(c.servers) > 0 && !others}, nil
}

// reaches reports whether vtl lists a partition of this HSM: by its serial
// number, or, where the appliance does not tell that, by its label if nothing
// else can have it.
func (t telling) reaches(v vtl.Verified, partition string) bool {
	if t.open {
		serial := t.serial(partition)
		return serial != "" && slices.ContainsFunc(v.Slots, func(s vtl.Slot) bool { return s.Serial == serial })
	}
	return t.alone && len(labelled(v, partition)) == 1
}

// unclear says why rows with a partition's label do not count, "" if there are
// none.
func (t telling) unclear(v vtl.Verified, partition string) string {
	rows := labelled(v, partition)
	if t.open || len(rows) == 0 || t.reaches(v, partition) {
		return ""
	}
	if t.alone {
		return fmt.Sprintf("vtl verify lists %d partitions with the label %s, and this user may not ask `partition list` which serial number is meant", len(rows), partition)
	}
	return fmt.Sprintf("vtl verify lists a partition with the label %s (serial %s), but the client has several HSMs and this user may not ask `partition list`, so whose it is cannot be told", partition, rows[0].Serial)
}

// labelled are the rows with a label.
func labelled(v vtl.Verified, label string) []vtl.Slot {
	return slices.DeleteFunc(slices.Clone(v.Slots), func(s vtl.Slot) bool { return s.Label != label })
}

func (t telling) serial(partition string) string {
	for _, row := range t.rows {
		if row.Name == partition {
			return row.Serial
		}
	}
	return ""
}

// named is a partition with its serial number, if that is known.
func (t telling) named(partition string) string {
	if serial := t.serial(partition); serial != "" {
		return fmt.Sprintf("%s (%s)", partition, transport.Printable(serial))
	}
	return partition
}

// how is what partitions are told by, in words.
func (t telling) how() string {
	if t.open {
		return "by serial number"
	}
	return "by label, since this user may not ask for serial numbers and the client has no other HSM"
}
