package main

import (
	"encoding/json"
	"io"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// A question is a note or a key, and the keys under which a note is opened.
type question struct {
	Kind  string   `json:"kind"`
	Data  []byte   `json:"data"`
	VKeys []string `json:"vkeys"`
}

// A verdict is an error's text, or the text of the note and whose signatures it has.
type verdict struct {
	Error      string   `json:"error"`
	Text       string   `json:"text"`
	Verified   []string `json:"verified"`
	Unverified []string `json:"unverified"`
}

var judges = map[string]func(question) (verdict, error){
	"note": judgeNote,
	"vkey": func(asked question) (verdict, error) {
		_, err := note.NewVerifier(string(asked.Data))
		return verdict{}, err
	},
	"skey": func(asked question) (verdict, error) {
		_, err := note.NewSigner(string(asked.Data))
		return verdict{}, err
	},
}

func judge([]string) (any, error) {
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		return nil, err
	}
	verdicts := []verdict{}
	for _, asked := range questions {
		given, err := judges[asked.Kind](asked)
		if err != nil {
			given.Error = err.Error()
		}
		verdicts = append(verdicts, given)
	}
	return verdicts, nil
}

func judgeNote(asked question) (verdict, error) {
	var keys []note.Verifier
	for _, vkey := range asked.VKeys {
		key, err := note.NewVerifier(vkey)
		if err != nil {
			return verdict{}, err
		}
		keys = append(keys, key)
	}
	opened, err := note.Open(asked.Data, note.VerifierList(keys...))
	if err != nil {
		return verdict{}, err
	}
	return verdict{
		Text:       opened.Text,
		Verified:   names(opened.Sigs),
		Unverified: names(opened.UnverifiedSigs),
	}, nil
}

func names(signatures []note.Signature) []string {
	all := []string{}
	for _, signature := range signatures {
		all = append(all, signature.Name)
	}
	return all
}

// sign adds a signature to a note, or makes one of a text, as x/mod writes it.
func sign(arguments []string) (any, error) {
	signer, err := note.NewSigner(arguments[0])
	if err != nil {
		return nil, err
	}
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return nil, err
	}
	unsigned := &note.Note{Text: string(input)}
	if strings.Contains(string(input), "\n\n") {
		_, err := note.Open(input, note.VerifierList())
		unverified, ok := err.(*note.UnverifiedNoteError)
		if !ok {
			return nil, err
		}
		unsigned = unverified.Note
	}
	signed, err := note.Sign(unsigned, signer)
	return string(signed), err
}
