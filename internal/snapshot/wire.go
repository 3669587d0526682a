package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A list answer in protobuf is four magic bytes, then a runtime.Unknown, whose
// field 2 is the list: field 1 its ListMeta, field 2 its items, in every kind
// (k8s.io/apimachinery pkg/runtime/serializer/protobuf).
const (
	protobufMagic = "k8s\x00"

	fieldUnknownRaw      = 2
	fieldUnknownEncoding = 3
	fieldListMeta        = 1
	fieldListItems       = 2
	fieldContinue        = 3
)

var errWire = errors.New("not a protobuf message")

// wireField is one field of a protobuf message.
type wireField struct {
	num int
	// raw is the field with its tag, value the bytes of a length-delimited one.
	raw, value []byte
}

// nextField cuts the first field off a message.
func nextField(msg []byte) (f wireField, rest []byte, err error) {
	tag, n := binary.Uvarint(msg)
	if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29 {
		return f, nil, errWire
	}
	f.num = int(tag >> 3)
	end := n
	switch tag & 7 {
	case 0: // varint
		_, m := binary.Uvarint(msg[n:])
		if m <= 0 {
			return f, nil, errWire
		}
		end += m
	case 1: // 64 bit
		end += 8
	case 2: // length-delimited
		size, m := binary.Uvarint(msg[n:])
		if m <= 0 || size > uint64(len(msg)-n-m) {
			return f, nil, errWire
		}
		end += m + int(size)
		f.value = msg[n+m : end]
	case 5: // 32 bit
		end += 4
	default:
		return f, nil, errWire
	}
	if end > len(msg) {
		return f, nil, errWire
	}
	f.raw = msg[:end]
	return f, msg[end:], nil
}

// fields calls f with each field of a message until it returns an error.
func fields(msg []byte, f func(wireField) error) error {
	for len(msg) > 0 {
		x, rest, err := nextField(msg)
		if err == nil {
			err = f(x)
		}
		if err != nil {
			return err
		}
		msg = rest
	}
	return nil
}

// Page is the answer to one list call in protobuf, its items not decoded yet.
type Page struct {
	// Continue is the token of the next page, empty at the last.
	Continue string
	items    [][]byte
}

// ReadPage takes an answer apart. The page refers to body: it is of use until
// body is written to, and taking it may change body.
func ReadPage(body []byte) (Page, error) {
	var p Page
	if len(body) < len(protobufMagic) || string(body[:len(protobufMagic)]) != protobufMagic {
		return p, fmt.Errorf("%w: no magic number", errWire)
	}
	err := fields(body[len(protobufMagic):], func(f wireField) error {
		switch f.num {
		case fieldUnknownEncoding:
			if len(f.value) > 0 {
				return fmt.Errorf("content encoding %q", f.value)
			}
		case fieldUnknownRaw:
			return fields(f.value, p.field)
		}
		return nil
	})
	return p, err
}

func (p *Page) field(f wireField) error {
	switch f.num {
	case fieldListItems:
		p.items = append(p.items, f.value)
	case fieldListMeta:
		return fields(f.value, func(m wireField) error {
			if m.num == fieldContinue {
				p.Continue = string(m.value)
			}
			return nil
		})
	}
	return nil
}

// Len is the number of items.
func (p Page) Len() int { return len(p.items) }
