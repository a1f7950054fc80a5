// Measures conditions as Argo Rollouts evaluates them: compiled and run afresh each time, against
// an environment of its own. Reads {"cond","result","type"} lines, and prints evaluations per second.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/expr-lang/expr"
)

const window = 500 * time.Millisecond

type question struct {
	Cond   string `json:"cond"`
	Result any    `json:"result"`
	Type   string `json:"type"`
}

func typed(asked question) any {
	if asked.Type != "floats" {
		return asked.Result
	}
	items := asked.Result.([]any)
	floats := make([]float64, 0, len(items))
	for _, item := range items {
		floats = append(floats, item.(float64))
	}
	return floats
}

func environment(result any) map[string]any {
	return map[string]any{
		"result":  result,
		"asInt":   func(any) int64 { return 0 },
		"asFloat": func(any) float64 { return 0 },
		"isNaN":   math.IsNaN,
		"isInf":   func(number float64) bool { return math.IsInf(number, 0) },
		"isNil":   func(any) bool { return result == nil },
		"default": func(any, any) any { return result },
	}
}

func evaluate(condition string, result any) error {
	names := environment(result)
	program, err := expr.Compile(condition, expr.Env(names))
	if err != nil {
		return err
	}
	_, err = expr.Run(program, names)
	return err
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		result, count, start := typed(asked), 0, time.Now()
		for time.Since(start) < window {
			for range 100 {
				if err := evaluate(asked.Cond, result); err != nil {
					panic(err)
				}
			}
			count += 100
		}
		fmt.Printf("%.0f\n", float64(count)/time.Since(start).Seconds())
	}
}
