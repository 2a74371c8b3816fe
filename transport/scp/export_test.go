package scp

// MaxLine is the bound that the tests overstep.
const MaxLine = maxLine
