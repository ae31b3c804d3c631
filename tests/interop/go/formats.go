package main

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// The forms of C2SP that x/mod does not have: it signs trees in a text of its own.

const proofHeader = "c2sp.org/tlog-proof@v1"

// openCheckpoint gives the tree in a note that the key has signed: c2sp.org/tlog-checkpoint.
func openCheckpoint(data []byte, key note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(data, note.VerifierList(key))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != key.Name() {
		return tlog.Tree{}, fmt.Errorf("checkpoint: not origin, size and root hash: %q", lines)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	hash, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: hash}, err
}

func formatCheckpoint(origin string, tree tlog.Tree, signer note.Signer) ([]byte, error) {
	text := fmt.Sprintf("%s\n%d\n%s\n", origin, tree.N, tree.Hash)
	return note.Sign(&note.Note{Text: text}, signer)
}

// A proof is a tlog-proof, or the body of an add-checkpoint request, which differ in their first
// lines: a number, hashes, an empty line, a checkpoint.
type proof struct {
	number     int64
	hashes     []tlog.Hash
	checkpoint []byte
}

func parseProof(data []byte, head ...string) (proof, error) {
	parts := strings.SplitN(string(data), "\n\n", 2)
	if len(parts) != 2 {
		return proof{}, fmt.Errorf("proof: no empty line")
	}
	lines := strings.Split(parts[0], "\n")
	last := len(head) - 1
	if len(lines) <= last || strings.Join(lines[:last], "\n") != strings.Join(head[:last], "\n") {
		return proof{}, fmt.Errorf("proof: another header: %q", lines)
	}
	number, err := strconv.ParseInt(strings.TrimPrefix(lines[last], head[last]), 10, 64)
	if err != nil {
		return proof{}, err
	}
	parsed := proof{number: number, checkpoint: []byte(parts[1])}
	for _, line := range lines[len(head):] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return proof{}, err
		}
		parsed.hashes = append(parsed.hashes, hash)
	}
	return parsed, nil
}

func formatProof(proof proof, head ...string) []byte {
	lines := append([]string{}, head...)
	lines[len(head)-1] += strconv.FormatInt(proof.number, 10)
	for _, hash := range proof.hashes {
		lines = append(lines, base64.StdEncoding.EncodeToString(hash[:]))
	}
	return append([]byte(strings.Join(lines, "\n")+"\n\n"), proof.checkpoint...)
}
