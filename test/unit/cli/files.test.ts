import type { FilesView } from "@knib/core";
import test from "ava";
import { extractResult, filesText } from "../../../apps/cli/src/print/files.ts";
import { skippedOf } from "../../../apps/cli/src/print/results.ts";

const stat = {
	...{ size: 1024, mode: "0644", uid: 0, gid: 33 },
	modifiedAt: "2026-01-02T03:04:05.678Z",
};
const view: FilesView = {
	...{ backup: "b", vm: { uuid: "u", name: "web" }, pointInTime: "", disk: "vda" },
	fileSystems: [
		{ partition: "1", type: "ext4", label: "root\u001b[2J", size: 1 << 30, readable: true },
		{ partition: "2", type: "swap", label: null, size: 1 << 20, readable: false },
	],
	...{ partition: null, path: "/", files: [], total: 0, truncated: false },
};

test("files list › prints the file systems where none was chosen", (t) => {
	t.is(
		filesText(view),
		[
			"PARTITION  TYPE  SIZE     LABEL        FILES",
			"1          ext4  1.0 GiB  root\\x1b[2J  readable",
			"2          swap  1.0 MiB  -            no",
		].join("\n"),
	);
});

test("files list › prints files one a line, links with what they name", (t) => {
	const files = [
		{ ...stat, name: "etc", path: "/etc", type: "directory", target: null },
		{ ...stat, name: "to", path: "/to", type: "symlink", target: "/etc/\u009bx" },
	] as const;
	t.is(
		filesText({ ...view, partition: "1", files }),
		[
			"MODE   UID  GID  SIZE  MODIFIED              NAME",
			"d0644    0   33  1024  2026-01-02T03:04:05Z  etc/",
			"l0644    0   33  1024  2026-01-02T03:04:05Z  to -> /etc/\\x9bx",
		].join("\n"),
	);
});

test("files extract › prints what came, and each thing that was left out", (t) => {
	const result = {
		...{ files: 2, bytes: 2048, directories: 1, links: 0, directory: "/out" },
		skipped: [{ path: "/etc/mtab", reason: "it leads out of what is extracted" }],
	};
	t.is(extractResult(result), "2 files (2.0 KiB), 1 directory extracted to /out");
	t.deepEqual(skippedOf(result, []), ["/etc/mtab was skipped: it leads out of what is extracted"]);
});
