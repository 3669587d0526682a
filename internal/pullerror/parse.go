package pullerror

// Parse reads one message about one image. image may be empty when it is not
// known; it is then taken from the message where that quotes it.
func Parse(text, image string) Error {
	return Error{Kind: Unknown, Text: text}
}
