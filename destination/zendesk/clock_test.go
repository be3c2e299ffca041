package zendesk

import (
	"net/http"
	"testing"
	"time"
)

func TestClockFindsTheDifferenceFromWholeSeconds(t *testing.T) {
	t.Parallel()
	ours := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, ahead := range []time.Duration{0, 400 * time.Millisecond, -400 * time.Millisecond, 7300 * time.Millisecond, -90 * time.Second, time.Hour} {
		c := &clock{}
		for i := range 40 {
			sent := ours.Add(time.Duration(i) * 137 * time.Millisecond)
			received := sent.Add(20 * time.Millisecond)
			c.observe(sent, received, sent.Add(10*time.Millisecond+ahead).UTC().Format(http.TimeFormat))
		}
		if diff := (c.ahead() - ahead).Abs(); diff > 200*time.Millisecond {
			t.Errorf("a clock %s ahead was taken for %s", ahead, c.ahead())
		}
		if got := c.ours(c.theirs(ours)); !got.Equal(ours) {
			t.Errorf("there and back is %s", got)
		}
	}
}

func TestClockBeginsAnewWhenAClockWasSet(t *testing.T) {
	t.Parallel()
	c := &clock{}
	now := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	c.observe(now, now, now.Add(time.Hour).Format(http.TimeFormat))
	c.observe(now, now, now.Format(http.TimeFormat))
	if c.ahead() != 0 {
		t.Errorf("the clock is %s ahead, want none", c.ahead())
	}
	c.observe(now, now, "")
	c.observe(now, now, "yesterday")
	if c.ahead() != 0 {
		t.Errorf("an answer without Date changed the clock to %s", c.ahead())
	}
}
