import { execFileSync } from "node:child_process";
import { renameSync } from "node:fs";
import { chmod, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Manifest, Repository } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { openRepository } from "../../../apps/host-daemon/src/repository/open-repository.ts";
import { rejectsWith } from "../../contracts/repository-contract.ts";
import { aChild, aManifest } from "../../support/builders/manifest.ts";
import {
	aRepository,
	flipByte,
	openOptions,
	placeFiles,
	publishIn,
	within,
} from "./support/directory-harness.ts";

const mode = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

const placed = async (
	repository: Repository,
	manifest = aManifest(),
): Promise<{ manifest: Manifest; path: string }> => {
	const own = within(repository, manifest);
	return { manifest: own, path: await placeFiles(repository, own) };
};

const MACHINE = { files: ["domain-inactive.xml", "nvram", "tpm"], networks: [], pools: [] };

test("publish › leaves checksums of every file that sha256sum -c agrees with", async (t) => {
	const repository = await aRepository(t);
	const { path } = await publishIn(repository, aManifest({ machine: MACHINE }));
	const check = () => execFileSync("sha256sum", ["-c", "SHA256SUMS"], { cwd: path }).toString();
	t.deepEqual(check().trim().split("\n"), [
		"vda.qcow2: OK",
		"domain-inactive.xml: OK",
		"nvram: OK",
		"tpm/tpm2/tpm2-00.permall: OK",
		"manifest.json: OK",
	]);
	await flipByte(join(path, "nvram"), 0);
	t.throws(check);
});

test("publish › lets qemu's group read layers, and nobody else the machine's secrets", async (t) => {
	const group = process.getuid?.() === 0 ? 12_345 : (process.getgid?.() ?? 0);
	const repository = await aRepository(t, { qemuGroup: group });
	const own = await placed(repository, aManifest({ machine: MACHINE }));
	await chmod(join(own.path, "vda.qcow2"), 0o600);
	await chmod(join(own.path, "nvram"), 0o644);
	const { path } = await repository.publish(own.manifest);
	const modes: Record<string, string> = {};
	for (const file of ["vda.qcow2", "manifest.json", "SHA256SUMS", "nvram", "tpm/tpm2", "."]) {
		modes[file] = await mode(join(path, file));
	}
	t.deepEqual(modes, {
		"vda.qcow2": "640",
		"manifest.json": "640",
		SHA256SUMS: "640",
		nvram: "600",
		"tpm/tpm2": "700",
		".": "750",
	});
	for (const at of ["vda.qcow2", ".", "..", "../..", "../../..", "../../../.."]) {
		t.is((await stat(join(path, at))).gid, group, at);
	}
});

const UNFIT: readonly (readonly [string, RegExp, (path: string) => Promise<unknown>])[] = [
	[
		"a file that the manifest does not name",
		/b\.qcow2 is not named/,
		(path) => writeFile(join(path, "b.qcow2"), ""),
	],
	["a layer of another size", /bytes long/, (path) => writeFile(join(path, "vda.qcow2"), "x")],
	["a layer of another header", /another header/, (path) => flipByte(join(path, "vda.qcow2"), 9)],
	[
		"a link among the machine's files",
		/neither a file nor a directory/,
		async (path) => {
			await mkdir(join(path, "tpm", "tpm2"), { recursive: true });
			await symlink("/etc/shadow", join(path, "tpm", "tpm2", "state"));
		},
	],
];
for (const [what, words, spoil] of UNFIT) {
	test(`publish › refuses ${what}, and says that nothing was published`, async (t) => {
		const repository = await aRepository(t);
		const machine = { ...MACHINE, files: what.includes("machine") ? MACHINE.files : ["nvram"] };
		const own = await placed(repository, aManifest({ machine }));
		await spoil(own.path);
		const error = await rejectsWith(t, repository.publish(own.manifest), "VERIFY_FAILED");
		t.regex(error.message, words);
		t.is(error.details["outcome"], "not-done");
		t.deepEqual(await repository.vms(), []);
	});
}

test("publish › refuses a manifest of another repository", async (t) => {
	const repository = await aRepository(t);
	const manifest = aManifest();
	await placeFiles(repository, manifest);
	await rejectsWith(t, repository.publish(manifest), "INTERNAL");
});

test("publish › does not take a rotten published backup for its own", async (t) => {
	const repository = await aRepository(t);
	const own = await placed(repository);
	const { path } = await repository.publish(own.manifest);
	await flipByte(join(path, "manifest.json"), 40);
	const error = await rejectsWith(t, repository.publish(own.manifest), "MANIFEST_INVALID");
	t.is(error.details["outcome"], "unknown");
});

const errno = (code: string): Error => Object.assign(new Error(`${code}: told to`), { code });

/** A repository whose rename into place fails as the test says. */
const failingRename = async (
	t: ExecutionContext,
	fail: (to: string) => void,
): Promise<{ repository: Repository; manifest: Manifest }> => {
	const { path } = await aRepository(t);
	const hook = (operation: string, at: string): void => {
		if (operation === "rename" && /\/0001-[0-9a-f-]+$/.test(at)) fail(at);
	};
	const repository = await openRepository(openOptions(path, { hook }));
	return { repository, manifest: (await placed(repository)).manifest };
};

const RENAMES: readonly (readonly [string, string, string])[] = [
	["ENOSPC", "REPOSITORY_NO_SPACE", "not-done"],
	["EROFS", "REPOSITORY_READ_ONLY", "not-done"],
	["EXDEV", "REPOSITORY_INVALID", "not-done"],
	["EIO", "REPOSITORY_UNREACHABLE", "unknown"],
	["ETIMEDOUT", "REPOSITORY_UNREACHABLE", "unknown"],
	["ESTALE", "REPOSITORY_UNREACHABLE", "unknown"],
];
for (const [code, error, outcome] of RENAMES) {
	test(`publish › calls the outcome ${outcome} when the rename fails with ${code}`, async (t) => {
		let failing = true;
		const { repository, manifest } = await failingRename(t, () => {
			if (failing) throw errno(code);
		});
		const thrown = await rejectsWith(t, repository.publish(manifest), error);
		t.is(thrown.details["outcome"], outcome);
		failing = false;
		t.deepEqual((await repository.publish(manifest)).manifest, manifest);
	});
}

for (const code of ["ENOENT", "EIO"]) {
	test(`publish › is done when the rename was, although its answer was ${code}`, async (t) => {
		const world: { from?: string } = {};
		const { repository, manifest } = await failingRename(t, (to) => {
			renameSync(world.from ?? "", to);
			throw errno(code);
		});
		world.from = join(repository.path, "incoming", manifest.identity.id);
		t.deepEqual((await repository.publish(manifest)).manifest, manifest);
		t.deepEqual((await repository.confirm(manifest)).manifest, manifest);
	});
}

test("publish › calls the outcome unknown when what follows the rename fails", async (t) => {
	const { path } = await aRepository(t);
	let renamed = false;
	const hook = (operation: string, at: string): void => {
		if (operation === "rename" && at.includes("/0001-")) renamed = true;
		else if (renamed && operation === "fsync") throw errno("EIO");
	};
	const repository = await openRepository(openOptions(path, { hook }));
	const { manifest } = await placed(repository);
	const error = await rejectsWith(t, repository.publish(manifest), "REPOSITORY_UNREACHABLE");
	t.is(error.details["outcome"], "unknown");
	await rejectsWith(t, repository.confirm(manifest), "REPOSITORY_UNREACHABLE");
});

test("confirm › accepts a later generation of the same backup", async (t) => {
	const repository = await aRepository(t);
	const generation = { ...aManifest().generation, number: 2 };
	const { manifest } = await publishIn(repository, aManifest({ generation }));
	const before = { ...manifest, generation: { ...generation, number: 1 } };
	t.is((await repository.confirm(before)).manifest.generation.number, 2);
});

test("publish › keeps the manifest readable for people", async (t) => {
	const repository = await aRepository(t);
	const { manifest } = await publishIn(repository, aManifest());
	const { path } = await publishIn(repository, aChild(manifest));
	const text = await readFile(join(path, "manifest.json"), "utf8");
	t.regex(text, /^\{\n {2}"format": 1,\n/);
	t.true(text.endsWith("}\n"));
});
