package rules

import (
	"fmt"
	"reflect"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// value is an object as CEL handles it. Its fields are read when an expression
// asks for them.
type value struct {
	of *objectType
	v  any
}

// ConvertToNative is not needed: results of expressions are bool or string.
func (o *value) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a %s cannot become a %v", o.of.name, t)
}

// ConvertToType knows only the type of the value itself.
func (o *value) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return o.of.cel
	}
	return types.NewErr("a %s cannot become a %s", o.of.name, t.TypeName())
}

// Equal is identity: two pods are equal when they are one.
func (o *value) Equal(other ref.Val) ref.Val {
	x, ok := other.(*value)
	return types.Bool(ok && x.of == o.of && x.v == o.v)
}

// Type is the object's declared type.
func (o *value) Type() ref.Type { return o.of.cel }

// Value is what getters of fields receive.
func (o *value) Value() any { return o }

func values(list []*value) []ref.Val {
	out := make([]ref.Val, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

// provider tells CEL the types and fields of the vocabulary.
type provider struct {
	*types.Registry
	objects map[string]*objectType
}

func newProvider() (*provider, error) {
	reg, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	p := &provider{reg, map[string]*objectType{}}
	for _, o := range objects {
		p.objects[typePrefix+o.name] = o
	}
	return p, nil
}

// FindStructType implements types.Provider.
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if o, ok := p.objects[name]; ok {
		return types.NewTypeTypeWithParam(o.cel), true
	}
	return p.Registry.FindStructType(name)
}

// FindStructFieldNames implements types.Provider; CEL asks it for suggestions.
func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	o, ok := p.objects[name]
	if !ok {
		return p.Registry.FindStructFieldNames(name)
	}
	var out []string
	for _, f := range o.fields {
		out = append(out, f.name)
	}
	return out, true
}

// FindStructFieldType implements types.Provider.
func (p *provider) FindStructFieldType(name, fieldName string) (*types.FieldType, bool) {
	o, ok := p.objects[name]
	if !ok {
		return p.Registry.FindStructFieldType(name, fieldName)
	}
	f, ok := o.byName[fieldName]
	if !ok {
		return nil, false
	}
	return &types.FieldType{Type: f.typ,
		IsSet:   func(target any) bool { return filled(f.get(target.(*value).v)) },
		GetFrom: func(target any) (any, error) { return f.get(target.(*value).v), nil },
	}, true
}

// NewValue refuses to make objects: rules read, they do not build.
func (p *provider) NewValue(name string, fields map[string]ref.Val) ref.Val {
	if _, ok := p.objects[name]; ok {
		return types.NewErr("a %s cannot be made", name)
	}
	return p.Registry.NewValue(name, fields)
}

// filled is what has() answers: whether the field holds something.
func filled(v any) bool {
	switch v := v.(type) {
	case string:
		return v != ""
	case int64:
		return v != 0
	case float64:
		return v != 0
	case bool:
		return v
	case time.Time:
		return !v.IsZero()
	case []string:
		return len(v) > 0
	case map[string]string:
		return len(v) > 0
	case []ref.Val:
		return len(v) > 0
	}
	return v != nil
}
