import test from "ava";
import {
	inOrder,
	isReadable,
	parseFileSystems,
	parseNames,
	parseStat,
	partitionOf,
} from "../../../apps/host-daemon/src/files/guestfish-parse.ts";

// As guestfish 1.48.6 printed it.
const STAT = `st_dev: 2050
st_ino: 12
st_mode: 35309
st_nlink: 1
st_uid: 1000
st_gid: 33
st_rdev: 0
st_size: 1024
st_blksize: 1024
st_blocks: 2
st_atime_sec: 1795409770
st_atime_nsec: 0
st_mtime_sec: 1795409770
st_mtime_nsec: 123456789
st_ctime_sec: 1795409770
st_ctime_nsec: 0
st_spare1: 0`.split("\n");

test("lstatns › gives type, mode, owner, size and time", (t) => {
	t.deepEqual(parseStat(STAT), {
		type: "file",
		size: 1024,
		mode: "4755",
		uid: 1000,
		gid: 33,
		modifiedAt: "2026-11-23T04:56:10.123Z",
	});
	t.is(parseStat([]), undefined);
});

test("lstatns › knows every type, and a size and a time that nothing has", (t) => {
	const typeOf = (mode: number) => parseStat([`st_mode: ${mode}`])?.type;
	t.deepEqual(
		[0o100644, 0o040755, 0o120777, 0o060600, 0o020600, 0o010600, 0o140600, 0o050000].map(typeOf),
		["file", "directory", "symlink", "block", "character", "fifo", "socket", "unknown"],
	);
	const odd = parseStat([
		"st_mode: 33188",
		"st_size: 9223372036854775807",
		"st_mtime_sec: -9223372036854775808",
	]);
	t.is(odd?.size, Number.MAX_SAFE_INTEGER);
	t.is(odd?.modifiedAt, null);
});

test("list-filesystems › passes over what is no device with a type", (t) => {
	const lines = [
		"/dev/sda1: vfat",
		"/dev/group/volume: ext4",
		"btrfsvol:/dev/sda2/home: btrfs",
		"/dev/sda1: vfat; reboot",
		"",
	];
	t.deepEqual(parseFileSystems(lines), [
		{ device: "/dev/sda1", type: "vfat" },
		{ device: "/dev/group/volume", type: "ext4" },
	]);
});

test("partition › is a number, the whole disk, or a volume by its group", (t) => {
	t.deepEqual(["/dev/sda12", "/dev/sda", "/dev/vg/lv", "/dev/md127"].map(partitionOf), [
		"12",
		"whole",
		"vg/lv",
		"md127",
	]);
	const sorted = ["10", "vg/lv", "2"].map((partition) => ({ partition })).sort(inOrder);
	t.deepEqual(
		sorted.map((one) => one.partition),
		["2", "10", "vg/lv"],
	);
	t.deepEqual(["ext4", "swap", "crypto_LUKS", "LVM2_member", "unknown"].map(isReadable), [
		true,
		false,
		false,
		false,
		false,
	]);
});

test("ls0 › gives names in the order of their bytes and none that leads elsewhere", (t) => {
	const bytes = Buffer.from("b\0\xff\xfe\0a\nb\0..\0.\0a/b\0", "latin1");
	t.deepEqual(parseNames(bytes), ["a\nb", "b", "\xff\xfe"]);
});
