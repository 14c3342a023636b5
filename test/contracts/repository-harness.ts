// What the contract of the repository port needs of an implementation: two hosts on one storage, a clock that stands still, and a
// way to put a backup's files where they are published from.
import { randomBytes, randomUUID } from "node:crypto";
import type { Clock, IdSource, Manifest, PublishedBackup, Repository } from "@knib/core";
import type { Every } from "../../apps/host-daemon/src/repository/lease.ts";

/** Lease time in contract tests, ms. */
export const LEASE = 60_000;

/** A clock that a test moves. */
export type TestClock = Clock & { readonly advance: (ms: number) => void };

export const testClock = (): TestClock => {
	let ms = 0;
	const start = Date.parse("2026-01-02T03:04:05.000Z");
	return {
		now: () => new Date(start + ms).toISOString(),
		monotonic: () => ms,
		sleep: async () => undefined,
		advance: (by) => {
			ms += by;
		},
	};
};

export const testIds: IdSource = {
	uuid: () => randomUUID(),
	random: (bytes) => randomBytes(bytes).toString("hex"),
};

/** A timer that a test fires by hand: what is renewed, and when, is the test's to say. */
export const manualTimer = (): { readonly every: Every; readonly fire: () => void } => {
	const running = new Set<() => void>();
	return {
		every: (_ms, run) => {
			running.add(run);
			return () => running.delete(run);
		},
		fire: () => {
			for (const run of running) run();
		},
	};
};

/** One host's view of the storage. */
export type TestHost = { readonly repository: Repository; readonly renew: () => void };

export type RepositoryHarness = {
	readonly a: TestHost;
	readonly b: TestHost;
	readonly clock: TestClock;
	/** Puts layers and machine files of a manifest into `incoming/`, as host A's job would. */
	readonly place: (manifest: Manifest) => Promise<void>;
	/** Changes the header of a published layer behind the repository's back. */
	readonly damage: (backup: PublishedBackup, file: string) => Promise<void>;
	readonly close: () => Promise<void>;
};

/** Places and publishes a backup that belongs to the harness' repository. */
export const publishOn = async (
	harness: RepositoryHarness,
	manifest: Manifest,
): Promise<PublishedBackup> => {
	await harness.place(manifest);
	return harness.a.repository.publish(manifest);
};
