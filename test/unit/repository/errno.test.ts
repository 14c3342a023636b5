import { type ErrorCode, KnibError } from "@knib/core";
import test from "ava";
import { repositoryError } from "../../../apps/host-daemon/src/repository/errno.ts";

const failing = (code: string): Error => Object.assign(new Error(`${code}: failed`), { code });

const MAPPED: readonly (readonly [string, "read" | "write", ErrorCode])[] = [
	["ENOSPC", "write", "REPOSITORY_NO_SPACE"],
	["EDQUOT", "write", "REPOSITORY_NO_SPACE"],
	["EROFS", "write", "REPOSITORY_READ_ONLY"],
	["EACCES", "write", "REPOSITORY_READ_ONLY"],
	["EPERM", "write", "REPOSITORY_READ_ONLY"],
	["EACCES", "read", "REPOSITORY_INVALID"],
	["ESTALE", "read", "REPOSITORY_UNREACHABLE"],
	["EIO", "write", "REPOSITORY_UNREACHABLE"],
	["ETIMEDOUT", "read", "REPOSITORY_UNREACHABLE"],
	["ENOENT", "read", "REPOSITORY_INVALID"],
	["ELOOP", "read", "REPOSITORY_INVALID"],
	["EXDEV", "write", "REPOSITORY_INVALID"],
	["EMFILE", "read", "INTERNAL"],
];
for (const [errno, access, code] of MAPPED) {
	test(`repositoryError › takes ${errno} of a ${access} for ${code}`, (t) => {
		const error = repositoryError(failing(errno), "list /r/vms", access);
		t.is(error.code, code);
		t.regex(error.message, /^cannot list \/r\/vms: /);
		t.is(error.details["errno"], errno);
	});
}

test("repositoryError › leaves a KnibError as it is", (t) => {
	const error = new KnibError("REFUSED", "no");
	t.is(repositoryError(error, "list", "read"), error);
});
