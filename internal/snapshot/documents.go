package snapshot

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// addDocuments takes the text of one file: YAML documents, a stream of JSON
// values, or the mix of JSON and logs that `kubectl cluster-info dump` prints.
func (s *source) addDocuments(file string, data []byte) error {
	data = cleanText(data)
	hintVersion, hintKind := hintOf(file)
	body := bytes.TrimLeft(data, " \t\r\n")
	if len(body) > 0 && (body[0] == '{' || body[0] == '[') {
		return s.addJSONStream(file, data, hintVersion, hintKind)
	}
	for _, d := range splitYAML(data) {
		raw, err := toJSON(d.text)
		if err == nil {
			err = s.addJSON(raw, hintVersion, hintKind, 0)
		}
		if err != nil {
			line, err := yamlFault(err)
			return &DecodeError{File: file, Line: d.line + max(line-1, 0), Err: err}
		}
	}
	return nil
}

func (s *source) addJSONStream(file string, data []byte, hintVersion, hintKind string) error {
	data = s.takeDumpLogs(data)
	dec := json.NewDecoder(bytes.NewReader(data))
	for {
		start := dec.InputOffset()
		var raw json.RawMessage
		err := dec.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return &DecodeError{File: file, Line: lineAt(data, jsonFaultAt(err, start, int64(len(data)))), Err: jsonError(err)}
		}
		if err := s.addJSON(raw, hintVersion, hintKind, 0); err != nil {
			return &DecodeError{File: file, Line: lineAt(data, dec.InputOffset()-int64(len(raw))), Err: err}
		}
	}
}

func jsonError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the JSON is cut short: %w", err)
	}
	return fmt.Errorf("not valid JSON: %w", err)
}

func jsonFaultAt(err error, start, end int64) int64 {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		// Offset counts from the start of the stream's current value in some
		// releases and from the start of the stream in others.
		return min(max(syntax.Offset, start), end)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return end
	}
	return start
}

func lineAt(data []byte, offset int64) int {
	offset = min(max(offset, 0), int64(len(data)))
	return 1 + bytes.Count(data[:offset], []byte{'\n'})
}

var yamlLine = regexp.MustCompile(`yaml: line (\d+): `)

// yamlFault takes the line out of the YAML library's message, and its prefixes.
func yamlFault(err error) (line int, clean error) {
	text := strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = strings.Replace(text, m[0], "", 1)
	}
	if errors.Is(err, ErrTooLarge) {
		return line, err
	}
	return line, errors.New("not valid YAML: " + strings.TrimPrefix(text, "yaml: "))
}

// yamlDoc is one document of a YAML stream and the line it begins on.
type yamlDoc struct {
	text []byte
	line int
}

// splitYAML cuts a stream at its "---" and "..." lines.
func splitYAML(data []byte) []yamlDoc {
	var docs []yamlDoc
	start, startLine, line := 0, 1, 1
	emit := func(end int) {
		if text := data[start:end]; !blankYAML(text) {
			docs = append(docs, yamlDoc{text, startLine})
		}
	}
	for pos := 0; pos < len(data); {
		end := len(data)
		if i := bytes.IndexByte(data[pos:], '\n'); i >= 0 {
			end = pos + i + 1
		}
		if l := data[pos:end]; isMarker(l) {
			emit(pos)
			start, startLine = end, line+1
			if rest := bytes.TrimSpace(l[3:]); len(rest) > 0 && rest[0] != '#' { // "--- {kind: Pod}"
				start, startLine = pos+3, line
			}
		}
		pos = end
		line++
	}
	emit(len(data))
	return docs
}

func isMarker(l []byte) bool {
	if len(l) < 3 || string(l[:3]) != "---" && string(l[:3]) != "..." {
		return false
	}
	return len(l) == 3 || l[3] == ' ' || l[3] == '\t' || l[3] == '\n' || l[3] == '\r'
}

func blankYAML(text []byte) bool {
	for len(text) > 0 {
		l := text
		if i := bytes.IndexByte(text, '\n'); i >= 0 {
			l, text = text[:i], text[i+1:]
		} else {
			text = nil
		}
		if l = bytes.TrimSpace(l); len(l) > 0 && l[0] != '#' && l[0] != '%' {
			return false
		}
	}
	return true
}

// cleanText makes UTF-8 without a byte order mark of what terminals and shells
// write: PowerShell's > makes UTF-16.
func cleanText(data []byte) []byte {
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		data = fromUTF16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		data = fromUTF16(data[2:], binary.BigEndian)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		data = bytes.ToValidUTF8(data, []byte("\uFFFD"))
	}
	return data
}

func fromUTF16(data []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}
