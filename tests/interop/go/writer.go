package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"strconv"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A growing log keeps its stored hashes in memory, as x/mod numbers them.
type growing struct {
	name    string
	signer  note.Signer
	entries [][]byte
	stored  []tlog.Hash
}

type writeAnswer struct {
	VKey string `json:"vkey"`
	SKey string `json:"skey"`
}

func write(arguments []string) (any, error) {
	folder, name := arguments[0], arguments[1]
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return nil, err
	}
	log := &growing{name: name, signer: signer}
	var earlier []int64
	for _, argument := range arguments[2:] {
		size, err := strconv.ParseInt(argument, 10, 64)
		if err != nil {
			return nil, err
		}
		if err := log.grow(size); err != nil {
			return nil, err
		}
		if err := log.publish(filepath.Join(folder, argument), earlier); err != nil {
			return nil, err
		}
		earlier = append(earlier, size)
	}
	return writeAnswer{VKey: vkey, SKey: skey}, nil
}

// entry is different for each index; one is empty, and one as long as any may be.
func entry(index int64) []byte {
	switch index {
	case 3:
		return nil
	case 5:
		return bytes.Repeat([]byte{5}, 65535)
	default:
		return []byte(fmt.Sprintf("entry %d of a log in Go", index))
	}
}

func (log *growing) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, index := range indexes {
		hashes = append(hashes, log.stored[index])
	}
	return hashes, nil
}

func (log *growing) grow(size int64) error {
	for index := int64(len(log.entries)); index < size; index++ {
		hashes, err := tlog.StoredHashes(index, entry(index), log)
		if err != nil {
			return err
		}
		log.stored = append(log.stored, hashes...)
		log.entries = append(log.entries, entry(index))
	}
	return nil
}

// publish writes tiles, bundles and checkpoint, proofs of some entries, and the growth from each
// of the earlier sizes as a log would send it to a witness.
func (log *growing) publish(folder string, earlier []int64) error {
	size := int64(len(log.entries))
	root, err := tlog.TreeHash(size, log)
	if err != nil {
		return err
	}
	checkpoint, err := formatCheckpoint(log.name, tlog.Tree{N: size, Hash: root}, log.signer)
	if err != nil {
		return err
	}
	if err := writeFile(checkpoint, folder, "checkpoint"); err != nil {
		return err
	}
	if err := log.writeTiles(folder, size); err != nil {
		return err
	}
	for _, index := range []int64{0, size / 3, size / 2, size - 1} {
		hashes, err := tlog.ProveRecord(size, index, log)
		if err != nil {
			return err
		}
		data := formatProof(proof{index, hashes, checkpoint}, proofHeader, "index ")
		if err := writeFile(data, folder, "proofs", fmt.Sprintf("%d.tlog-proof", index)); err != nil {
			return err
		}
	}
	for _, old := range earlier {
		hashes, err := tlog.ProveTree(size, old, log)
		if err != nil {
			return err
		}
		data := formatProof(proof{old, hashes, checkpoint}, "old ")
		if err := writeFile(data, folder, "proofs", fmt.Sprintf("%d.add-checkpoint", old)); err != nil {
			return err
		}
	}
	return nil
}

func (log *growing) writeTiles(folder string, size int64) error {
	for _, tile := range tilesOf(size) {
		data, err := tlog.ReadTileData(tile, log)
		if err != nil {
			return err
		}
		if err := writeFile(data, folder, tilePath(tile)); err != nil {
			return err
		}
	}
	for _, tile := range bundles(size) {
		first := tile.N << tileHeight
		data := formatBundle(log.entries[first : first+int64(tile.W)])
		if err := writeFile(data, folder, tilePath(tile)); err != nil {
			return err
		}
	}
	return nil
}
