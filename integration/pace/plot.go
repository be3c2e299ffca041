package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// plotted is the plan whose requests are drawn.
const plotted = 400

// picture is the drawing of one case: requests in each second, and the limit.
type picture struct {
	title     string
	perSecond []int
	limit     float64 // requests a second, on average over a window
	plan      float64
	window    time.Duration
}

func (p *picture) add(c budgetCase, _ []int, in log, l budgetLog) {
	p.title = fmt.Sprintf("%d requests a minute (windows of %s), %d workers, %d %% left to others", c.plan, c.window(), c.workers, budgetReserve)
	p.perSecond = in.perWindow(time.Second, l.from, l.until)
	p.plan = float64(c.plan) / c.window().Seconds()
	p.limit = p.plan * (100 - budgetReserve) / 100
	p.window = c.window()
}

// write draws an SVG: it needs no font, no program and no module.
func (p *picture) write(file string) error {
	const width, height, left, top = 900, 300, 50, 40
	highest := p.plan
	for _, n := range p.perSecond {
		highest = max(highest, float64(n))
	}
	x := func(second float64) float64 { return left + second*(width-left-20)/float64(len(p.perSecond)) }
	y := func(n float64) float64 { return top + (height-top-40)*(1-n/(highest*1.05)) }
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(&s, `<rect width="%d" height="%d" fill="#ffffff"/><text x="%d" y="20" font-size="14">%s</text>`+"\n", width, height, left, p.title)
	for second := 0.0; second <= float64(len(p.perSecond)); second += p.window.Seconds() {
		fmt.Fprintf(&s, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%.1f" stroke="#dddddd"/>`+"\n", x(second), top, x(second), y(0))
	}
	for i, n := range p.perSecond {
		fmt.Fprintf(&s, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="#3b6ea5"/>`+"\n",
			x(float64(i))+0.5, y(float64(n)), x(1)-x(0)-1, y(0)-y(float64(n)))
	}
	for i, line := range []struct {
		at   float64
		name string
		ink  string
	}{{p.limit, "our share", "#c0392b"}, {p.plan, "the plan", "#7f8c8d"}} {
		fmt.Fprintf(&s, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="%s" stroke-dasharray="6 4"/>`, left, y(line.at), width-20, y(line.at), line.ink)
		fmt.Fprintf(&s, `<text x="%d" y="%d" fill="%s">- - %s, on average over a window: %.1f/s</text>`+"\n", left+i*320, top-6, line.ink, line.name, line.at)
	}
	for n := 0.0; n <= highest; n += max(1, float64(int(highest/5))) {
		fmt.Fprintf(&s, `<text x="%d" y="%.1f" text-anchor="end">%.0f</text>`+"\n", left-6, y(n)+4, n)
	}
	fmt.Fprintf(&s, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#000000"/>`, left, y(0), width-20, y(0))
	fmt.Fprintf(&s, `<text x="%d" y="%d">seconds; a grey line where a rate window begins; bars are requests that arrived in that second</text>`+"\n</svg>\n", left, height-12)
	return os.WriteFile(file, []byte(s.String()), 0o644)
}
