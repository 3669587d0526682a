package rules

import (
	"fmt"
	"io"
	"strings"
)

// Reference is what rules can use, as data: the page of variables and the
// command that prints it come from the tables that expressions are checked by.
type Reference struct {
	// Common are variables of every evidence.
	Common   []ReferenceField    `json:"common"`
	Evidence []ReferenceEvidence `json:"evidence"`
	Types    []ReferenceType     `json:"types"`
}

// ReferenceEvidence is one value of "on".
type ReferenceEvidence struct {
	Name string `json:"name"`
	Doc  string `json:"doc"`
	// Message is what a message pattern is matched against, empty for none.
	Message string `json:"message,omitempty"`
	// Variables maps names to types.
	Variables    []ReferenceField `json:"variables"`
	Placeholders []string         `json:"placeholders"`
}

// ReferenceType is one type with its fields.
type ReferenceType struct {
	Name   string           `json:"name"`
	Doc    string           `json:"doc"`
	Fields []ReferenceField `json:"fields"`
}

// ReferenceField is a variable or a field.
type ReferenceField struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Doc  string `json:"doc,omitempty"`
}

// NewReference describes the vocabulary of rules.
func NewReference() Reference {
	var r Reference
	for _, v := range common {
		r.Common = append(r.Common, ReferenceField{v.name, typeName(v.typ.String()), v.doc})
	}
	for _, s := range subjects {
		e := ReferenceEvidence{Name: s.name, Doc: s.doc, Message: s.text, Placeholders: s.placeholders()}
		for _, v := range s.variables() {
			e.Variables = append(e.Variables, ReferenceField{Name: v.name, Type: v.of.name})
		}
		r.Evidence = append(r.Evidence, e)
	}
	for _, o := range objects {
		t := ReferenceType{Name: o.name, Doc: o.doc}
		for _, f := range o.fields {
			t.Fields = append(t.Fields, ReferenceField{f.name, typeName(f.typ.String()), f.doc})
		}
		r.Types = append(r.Types, t)
	}
	return r
}

func typeName(s string) string {
	s = strings.ReplaceAll(s, typePrefix, "")
	return strings.ReplaceAll(s, "google.protobuf.Timestamp", "timestamp")
}

// WriteText prints the reference for a terminal.
func (r Reference) WriteText(w io.Writer) error {
	var b strings.Builder
	b.WriteString("EVIDENCE (on:)\n")
	for _, e := range r.Evidence {
		fmt.Fprintf(&b, "\n  %s\n      %s\n", e.Name, e.Doc)
		if e.Message != "" {
			fmt.Fprintf(&b, "      message: %s\n", e.Message)
		}
		fmt.Fprintf(&b, "      variables: %s\n      placeholders: %s\n", fieldNames(e.Variables), strings.Join(e.Placeholders, ", "))
	}
	b.WriteString("\nVARIABLES of all evidence\n\n")
	writeFields(&b, r.Common)
	for _, t := range r.Types {
		fmt.Fprintf(&b, "\nTYPE %s: %s\n\n", t.Name, t.Doc)
		writeFields(&b, t.Fields)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeFields(b *strings.Builder, list []ReferenceField) {
	for _, f := range list {
		fmt.Fprintf(b, "  %-15s %-20s %s\n", f.Name, f.Type, f.Doc)
	}
}

func fieldNames(list []ReferenceField) string {
	var out []string
	for _, f := range list {
		out = append(out, f.Name)
	}
	return strings.Join(out, ", ")
}

// WriteMarkdown writes docs/rules/variables.md.
func (r Reference) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# What rules can look at\n\nHow to write rules: [rules.md](../rules.md). This page is generated from the table that expressions are checked by.\n\n## Evidence\n\n")
	b.WriteString("| `on` | what it is | `message` is matched against | variables | placeholders |\n|---|---|---|---|---|\n")
	for _, e := range r.Evidence {
		text := e.Message
		if text == "" {
			text = "nothing; use `when`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | `%s` | `%s` |\n", e.Name, e.Doc, text, strings.ReplaceAll(fieldNames(e.Variables), ", ", "` `"), strings.Join(e.Placeholders, "` `"))
	}
	b.WriteString("\n## Variables of all evidence\n\n| name | type | what it is |\n|---|---|---|\n")
	writeRows(&b, r.Common)
	for _, t := range r.Types {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| field | type | what it is |\n|---|---|---|\n", t.Name, t.Doc)
		writeRows(&b, t.Fields)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeRows(b *strings.Builder, list []ReferenceField) {
	for _, f := range list {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.Name, f.Type, f.Doc)
	}
}
