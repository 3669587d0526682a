package rules

import (
	"time"

	"github.com/google/cel-go/common/types"
)

// objectType is one type of the rules' vocabulary: what a variable like pod
// holds. Rules see these fields and nothing else of the facts.
type objectType struct {
	name   string
	doc    string
	fields []field
	byName map[string]*field
	cel    *types.Type
}

// field is one typed field; get reads it from the Go value behind the object.
type field struct {
	name string
	typ  *types.Type
	doc  string
	get  func(v any) any
}

// object declares a type over Go values of type T.
func object[T any](name, doc string, fields ...func(*objectType)) *objectType {
	o := &objectType{name: name, doc: doc, byName: map[string]*field{}, cel: types.NewObjectType(typePrefix + name)}
	for _, add := range fields {
		add(o)
	}
	for i := range o.fields {
		o.byName[o.fields[i].name] = &o.fields[i]
	}
	return o
}

// typePrefix keeps the types' names apart from variables in CEL's namespace.
const typePrefix = "unjam."

// The kinds of field. T is the Go value behind the object.

func text[T any](name, doc string, get func(T) string) func(*objectType) {
	return declare(name, types.StringType, doc, func(v T) any { return get(v) })
}

func number[T any](name, doc string, get func(T) int64) func(*objectType) {
	return declare(name, types.IntType, doc, func(v T) any { return get(v) })
}

func decimal[T any](name, doc string, get func(T) float64) func(*objectType) {
	return declare(name, types.DoubleType, doc, func(v T) any { return get(v) })
}

func truth[T any](name, doc string, get func(T) bool) func(*objectType) {
	return declare(name, types.BoolType, doc, func(v T) any { return get(v) })
}

func moment[T any](name, doc string, get func(T) time.Time) func(*objectType) {
	return declare(name, types.TimestampType, doc, func(v T) any { return get(v) })
}

func texts[T any](name, doc string, get func(T) []string) func(*objectType) {
	return declare(name, types.NewListType(types.StringType), doc, func(v T) any { return get(v) })
}

func pairs[T any](name, doc string, get func(T) map[string]string) func(*objectType) {
	return declare(name, types.NewMapType(types.StringType, types.StringType), doc, func(v T) any { return get(v) })
}

// several is a list of objects of another type.
func several[T, E any](name string, of *objectType, doc string, get func(T) []E) func(*objectType) {
	return declare(name, types.NewListType(of.cel), doc, func(v T) any {
		list := get(v)
		out := make([]*value, 0, len(list))
		for _, e := range list {
			out = append(out, &value{of, e})
		}
		return values(out)
	})
}

func declare[T any](name string, typ *types.Type, doc string, get func(T) any) func(*objectType) {
	return func(o *objectType) {
		o.fields = append(o.fields, field{name, typ, doc, func(v any) any { return get(v.(T)) }})
	}
}
