// Peer is the other side of our interoperability tests: a transparency log's reader and writer
// made of golang.org/x/mod/sumdb/tlog and sumdb/note, which know nothing of Safeconduct.
//
//	peer read FOLDER VKEY           check a log's files, and the proofs below FOLDER/proofs
//	peer write FOLDER NAME SIZE...  grow a log of our own; one folder of files for each size
//	peer judge                      say what x/mod makes of notes and keys: JSON in, JSON out
//	peer sign SKEY                  sign the note or the text on standard input
//
// The answer is JSON on standard output. Whatever does not hold is the exit status 1, and a line
// on standard error.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

var verbs = map[string]func(arguments []string) (any, error){
	"read":  read,
	"write": write,
	"judge": judge,
	"sign":  sign,
}

func main() {
	if len(os.Args) < 2 || verbs[os.Args[1]] == nil {
		fail(fmt.Errorf("usage: peer read|write|judge|sign ARGUMENTS"))
	}
	answer, err := verbs[os.Args[1]](os.Args[2:])
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
