import { type FilesListInput, filesListInputSchema, KnibError } from "@knib/core";
import test from "ava";
import { listFiles } from "../../../apps/host-daemon/src/files/list-files.ts";
import { fakeGuestDisk } from "../../support/fake-guest-disk.ts";

const view = { id: "b", vm: { uuid: "u", name: "web" } };
const input = (fields: Partial<FilesListInput> = {}): FilesListInput =>
	filesListInputSchema.parse({ backup: "b", disk: "vda", ...fields });
const open = (...args: Parameters<typeof fakeGuestDisk>) => ({
	disk: fakeGuestDisk(...args),
	pointInTime: "2026-01-02T03:04:05.000Z",
	close: async () => undefined,
});
test("files list › of a disk with one file system lists its root", async (t) => {
	const listed = await listFiles(
		open({ whole: { "/etc": { type: "directory" }, "/\u001b[31m": {} } }),
		view,
		input(),
	);
	t.is(listed.partition, "whole");
	t.is(listed.path, "/");
	t.deepEqual(
		listed.files.map((file) => [file.name, file.path, file.type]),
		[
			["etc", "/etc", "directory"],
			["\\x1b[31m", "/\\x1b[31m", "file"],
		],
	);
});

test("files list › of a disk with several lists the file systems, and no files", async (t) => {
	const listed = await listFiles(open({ "1": {}, "2": {} }), view, input());
	t.is(listed.partition, null);
	t.deepEqual(listed.files, []);
	t.is(listed.fileSystems.length, 2);
});

test("files list › finds the one partition that holds a path, and asks where it is on several", async (t) => {
	const disk = open({
		"1": { "/boot": { type: "directory" }, "/both": {} },
		"2": { "/both": {}, "/link": { type: "symlink", target: "/etc/\u001bshadow" } },
	});
	const found = await listFiles(disk, view, input({ path: "/link" }));
	t.is(found.partition, "2");
	t.is(found.files[0]?.target, "/etc/\\x1bshadow");
	const several = await t.throwsAsync(listFiles(disk, view, input({ path: "/both" })), {
		instanceOf: KnibError,
	});
	t.is(several?.code, "USAGE");
	t.regex(several?.message ?? "", /1, 2/);
	const none = await t.throwsAsync(listFiles(disk, view, input({ path: "/none" })), {
		instanceOf: KnibError,
	});
	t.is(none?.code, "NOT_FOUND");
});

test("files list › of a file lists that file", async (t) => {
	const disk = open({ whole: { "/etc": { type: "directory" }, "/etc/hosts": { size: 9 } } });
	const { files, total, truncated } = await listFiles(disk, view, input({ path: "etc/hosts/" }));
	t.deepEqual([files.length, total, truncated], [1, 1, false]);
	t.is(files[0]?.name, "hosts");
	t.is(files[0]?.size, 9);
});

test("files list › of a disk without a readable file system says what there is", async (t) => {
	for (const [disk, words] of [
		[open({}), /no file system is known/],
		[open({ "1": {} }, { "1": "swap" }), /only swap on 1/],
	] as const) {
		const error = await t.throwsAsync(listFiles(disk, view, input()), { instanceOf: KnibError });
		t.is(error?.code, "FILE_SYSTEM_UNREADABLE");
		t.regex(error?.message ?? "", words);
	}
});

test("files list › refuses a path through `..` before anything is read", async (t) => {
	const error = await t.throwsAsync(listFiles(open({}), view, input({ path: "/../etc" })), {
		instanceOf: KnibError,
	});
	t.is(error?.code, "REFUSED");
});
