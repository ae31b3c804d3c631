package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A logCopy is a log whose checkpoint was signed by the key that we were given.
type logCopy struct {
	key     note.Verifier
	tree    tlog.Tree
	entries [][]byte
	hashes  tlog.HashReader
}

type readAnswer struct {
	Size        int64  `json:"size"`
	Root        string `json:"root"`
	Inclusion   int    `json:"inclusion"`
	Consistency int    `json:"consistency"`
}

func read(arguments []string) (any, error) {
	folder, vkey := arguments[0], arguments[1]
	log, err := openCopy(folder, vkey)
	if err != nil {
		return nil, err
	}
	if err := log.checkEntries(); err != nil {
		return nil, err
	}
	answer := readAnswer{Size: log.tree.N, Root: log.tree.Hash.String()}
	answer.Inclusion, err = each(folder, "*.tlog-proof", log.checkInclusion)
	if err != nil {
		return nil, err
	}
	answer.Consistency, err = each(folder, "*.add-checkpoint", log.checkConsistency)
	return answer, err
}

func openCopy(folder, vkey string) (*logCopy, error) {
	key, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	checkpoint, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return nil, err
	}
	tree, err := openCheckpoint(checkpoint, key)
	if err != nil {
		return nil, err
	}
	entries, err := readEntries(folder, tree.N)
	if err != nil {
		return nil, err
	}
	// This reader refuses every tile that does not lead up to the tree's root hash.
	hashes := tlog.TileHashReader(tree, tileFolder(folder))
	return &logCopy{key: key, tree: tree, entries: entries, hashes: hashes}, nil
}

// checkEntries compares every entry with its leaf hash in the tiles, every tile with what the
// others make it, and the root hash with the checkpoint's.
func (log *logCopy) checkEntries() error {
	for _, tile := range tilesOf(log.tree.N) {
		data, err := tlog.ReadTileData(tile, log.hashes)
		if err != nil {
			return fmt.Errorf("%s: %w", tilePath(tile), err)
		}
		if tile.L != 0 {
			continue
		}
		for place := 0; place < tile.W; place++ {
			index := tile.N<<tileHeight + int64(place)
			stored := tlog.StoredHashIndex(0, index)
			hash, err := tlog.HashFromTile(tile, data, stored)
			if err != nil || hash != tlog.RecordHash(log.entries[index]) {
				return fmt.Errorf("entry %d does not have its leaf hash (%v)", index, err)
			}
		}
	}
	root, err := tlog.TreeHash(log.tree.N, log.hashes)
	if err == nil && root != log.tree.Hash {
		err = fmt.Errorf("the tiles' root hash is not the checkpoint's")
	}
	return err
}

// checkInclusion verifies a proof, and compares it with the one that x/mod makes.
func (log *logCopy) checkInclusion(data []byte) error {
	given, err := parseProof(data, proofHeader, "index ")
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(given.checkpoint, log.key)
	if err != nil {
		return err
	}
	leaf := tlog.RecordHash(log.entries[given.number])
	if err := tlog.CheckRecord(given.hashes, tree.N, tree.Hash, given.number, leaf); err != nil {
		return err
	}
	own, err := tlog.ProveRecord(tree.N, given.number, log.hashes)
	return compare(given.hashes, own, err)
}

// checkConsistency does the same for the growth from an older tree of the same log.
func (log *logCopy) checkConsistency(data []byte) error {
	given, err := parseProof(data, "old ")
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(given.checkpoint, log.key)
	if err != nil {
		return err
	}
	old, err := tlog.TreeHash(given.number, log.hashes)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(given.hashes, tree.N, tree.Hash, given.number, old); err != nil {
		return err
	}
	own, err := tlog.ProveTree(tree.N, given.number, log.hashes)
	return compare(given.hashes, own, err)
}

func compare(given, own []tlog.Hash, err error) error {
	if err == nil && len(given)+len(own) != 0 && !reflect.DeepEqual(given, own) {
		err = fmt.Errorf("x/mod makes another proof")
	}
	return err
}

// each applies a check to all files of a kind below the folder's proofs, and counts them.
func each(folder, kind string, check func([]byte) error) (int, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "proofs", kind))
	if err != nil {
		return 0, err
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err == nil {
			err = check(data)
		}
		if err != nil {
			return 0, fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
	}
	return len(paths), nil
}
