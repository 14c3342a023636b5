// Repositories in throw-away directories, for the contract and for what only a file system can get wrong.
import { mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Manifest, PublishedBackup, Repository } from "@knib/core";
import {
	type CreateOptions,
	createRepository,
} from "../../../../apps/host-daemon/src/repository/create-repository.ts";
import { openRepository } from "../../../../apps/host-daemon/src/repository/open-repository.ts";
import {
	LEASE,
	manualTimer,
	type RepositoryHarness,
	testClock,
	testIds,
} from "../../../contracts/repository-harness.ts";
import { layerBytes } from "../../../support/builders/manifest.ts";

/** A directory that goes with the test. */
export const temporaryDirectory = async (t: {
	teardown: (run: () => Promise<void>) => void;
}): Promise<string> => {
	const directory = await mkdtemp(join(tmpdir(), "knib-repository-"));
	t.teardown(() => rm(directory, { recursive: true, force: true }));
	return directory;
};

/** Options that every opening in these tests shares. */
export const openOptions = (
	path: string,
	override: Partial<CreateOptions> = {},
): CreateOptions => ({
	path,
	name: "main",
	clock: testClock(),
	ids: testIds,
	hostId: "host-a",
	leaseMs: LEASE,
	every: () => () => undefined,
	...override,
});

/** Puts the files of a manifest from the builders into `incoming/`. */
export const placeFiles = async (repository: Repository, manifest: Manifest): Promise<string> => {
	const { path } = await repository.incoming(manifest.identity.id);
	for (const layer of manifest.generation.layers) {
		await writeFile(join(path, layer.file), layerBytes(layer));
	}
	for (const file of manifest.machine.files) {
		if (file !== "tpm") {
			await writeFile(join(path, file), `contents of ${file}\n`);
			continue;
		}
		await mkdir(join(path, "tpm", "tpm2"), { recursive: true });
		await writeFile(join(path, "tpm", "tpm2", "tpm2-00.permall"), "state");
	}
	return path;
};

/** Flips a byte of a file in place. */
export const flipByte = async (path: string, at: number): Promise<void> => {
	const handle = await open(path, "r+");
	try {
		const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, at);
		await handle.write(Buffer.from([(buffer[0] ?? 0) ^ 0xff]), 0, 1, at);
	} finally {
		await handle.close();
	}
};

/** A new repository in a throw-away directory, with a manifest's place in it. */
export const aRepository = async (
	t: { teardown: (run: () => Promise<void>) => void },
	override: Partial<CreateOptions> = {},
): Promise<Repository> =>
	createRepository(openOptions(join(await temporaryDirectory(t), "repository"), override));

/** The manifest as a backup of this repository. */
export const within = (repository: Repository, manifest: Manifest): Manifest => ({
	...manifest,
	repository: { id: repository.id, name: repository.name },
});

/** Places and publishes a manifest from the builders. */
export const publishIn = async (
	repository: Repository,
	manifest: Manifest,
): Promise<PublishedBackup> => {
	const own = within(repository, manifest);
	await placeFiles(repository, own);
	return repository.publish(own);
};

/** Two hosts on one directory. */
export const openAsHarness = async (): Promise<RepositoryHarness> => {
	const directory = await mkdtemp(join(tmpdir(), "knib-repository-"));
	const path = join(directory, "repository");
	const clock = testClock();
	const [timerA, timerB] = [manualTimer(), manualTimer()];
	const options = openOptions(path, { clock, every: timerA.every });
	const a = await createRepository(options);
	const b = await openRepository({ ...options, hostId: "host-b", every: timerB.every });
	return {
		a: { repository: a, renew: timerA.fire },
		b: { repository: b, renew: timerB.fire },
		clock,
		place: async (manifest) => {
			await placeFiles(a, manifest);
		},
		damage: (backup, file) => flipByte(join(backup.path, file), 5000),
		close: () => rm(directory, { recursive: true, force: true }),
	};
};
