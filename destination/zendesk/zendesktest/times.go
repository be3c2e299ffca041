package zendesktest

import (
	"math"
	"time"
)

// noTime stands for a time that was not sent, or that is shown as null.
const noTime = math.MinInt64

var timeLayouts = [...]string{
	time.RFC3339Nano,
	"2006-01-02 15:04:05 -0700",
	"2006-01-02T15:04:05-0700",
	"2006-01-02T15:04:05.999999999-0700",
	"2006-01-02 15:04:05 UTC",
	"2006-01-02T15:04:05",
	"2006-01-02 15:04:05",
	"2006-01-02",
}

// parseTime takes any ISO-8601 form that Zendesk was seen to take, and cuts it to whole seconds.
func parseTime(s string) (unix int64, ok bool) {
	if s == "" {
		return noTime, true
	}
	if unix, ok := parseUTC(s); ok {
		return unix, true
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Unix(), true
		}
	}
	return 0, false
}

// parseUTC is the short way for 2006-01-02T15:04:05Z, the form that nearly every request uses.
func parseUTC(s string) (unix int64, ok bool) {
	if len(s) != 20 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[19] != 'Z' {
		return 0, false
	}
	year, month, day := digits(s[0:4]), digits(s[5:7]), digits(s[8:10])
	hour, minute, second := digits(s[11:13]), digits(s[14:16]), digits(s[17:19])
	if year < 0 || month < 1 || month > 12 || day < 1 || day > 28 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 {
		return 0, false // days 29 to 31 need the calendar: the long way knows it
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC).Unix(), true
}

func digits(s string) int {
	n := 0
	for i := range len(s) {
		c := s[i]
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// stamp is the time in a job's message: 2023-09-18 23:34:42 +0000.
func stamp(nanos int64) string {
	return time.Unix(0, nanos).UTC().Format("2006-01-02 15:04:05 -0700")
}

// seconds turns nanoseconds since 1970 into whole seconds.
func seconds(nanos int64) int64 { return nanos / int64(time.Second) }

// wholeSeconds rounds a duration up to whole seconds, as headers give them; at least 1.
func wholeSeconds(d int64) int64 {
	return max(1, (d+int64(time.Second)-1)/int64(time.Second))
}
