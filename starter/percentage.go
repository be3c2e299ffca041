package main

import (
	"fmt"
	"strconv"
	"strings"
)

// percentage is a flag's value such as 5%.
type percentage float64

func (p *percentage) String() string {
	if *p == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(*p), 'g', -1, 64) + "%"
}

func (p *percentage) Set(text string) error {
	value, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "%")), 64)
	if err != nil || !(value > 0 && value <= 100) {
		return fmt.Errorf("it must be a percentage above 0 and up to 100, for example 5%%")
	}
	*p = percentage(value)
	return nil
}

func (p *percentage) Type() string { return "P%" }
