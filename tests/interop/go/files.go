package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

// tilePath is where c2sp.org/tlog-tiles keeps what sumdb calls tile/8/<level>/... and
// tile/8/data/...
func tilePath(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight))
	if tile.L == -1 {
		path = "entries/" + strings.TrimPrefix(path, "data/")
	}
	return filepath.Join("tile", path)
}

// A tileFolder is a tlog.TileReader of files as they are.
type tileFolder string

func (folder tileFolder) Height() int                     { return tileHeight }
func (folder tileFolder) SaveTiles([]tlog.Tile, [][]byte) {}

func (folder tileFolder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(string(folder), tilePath(tile)))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// tilesOf gives the tiles of a tree. Sumdb keeps a partial tile of every width that there was;
// C2SP demands them only of sizes that had a checkpoint, so here they are left out.
func tilesOf(size int64) []tlog.Tile {
	var tiles []tlog.Tile
	for _, tile := range tlog.NewTiles(tileHeight, 0, size) {
		end := tile.N<<tileHeight + int64(tile.W)
		if tile.W == tileWidth || end == size>>(tileHeight*tile.L) {
			tiles = append(tiles, tile)
		}
	}
	return tiles
}

// bundles gives the tiles of level -1 of a tree: its entries.
func bundles(size int64) []tlog.Tile {
	var tiles []tlog.Tile
	for n := int64(0); n*tileWidth < size; n++ {
		width := size - n*tileWidth
		if width > tileWidth {
			width = tileWidth
		}
		tiles = append(tiles, tlog.Tile{H: tileHeight, L: -1, N: n, W: int(width)})
	}
	return tiles
}

func parseBundle(data []byte, width int) ([][]byte, error) {
	var entries [][]byte
	for len(data) >= 2 {
		length := int(binary.BigEndian.Uint16(data))
		if len(data) < 2+length {
			break
		}
		entries = append(entries, data[2:2+length])
		data = data[2+length:]
	}
	if len(data) != 0 || len(entries) != width {
		return nil, fmt.Errorf("bundle: %d entries, %d bytes left over", len(entries), len(data))
	}
	return entries, nil
}

func formatBundle(entries [][]byte) []byte {
	var data []byte
	for _, entry := range entries {
		var length [2]byte
		binary.BigEndian.PutUint16(length[:], uint16(len(entry)))
		data = append(append(data, length[:]...), entry...)
	}
	return data
}

func readEntries(folder string, size int64) ([][]byte, error) {
	var all [][]byte
	for _, tile := range bundles(size) {
		data, err := os.ReadFile(filepath.Join(folder, tilePath(tile)))
		if err != nil {
			return nil, err
		}
		entries, err := parseBundle(data, tile.W)
		if err != nil {
			return nil, err
		}
		all = append(all, entries...)
	}
	return all, nil
}

func writeFile(data []byte, path ...string) error {
	whole := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(whole), 0o755); err != nil {
		return err
	}
	return os.WriteFile(whole, data, 0o644)
}
