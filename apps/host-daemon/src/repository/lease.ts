// The lease on a VM in a repository (SAFETY F7): who may mutate its chains. Expiry is judged by the observer: the counter has not
// moved for the lease time on the observer's own monotonic clock; no host's wall clock is believed. A plain file system cannot
// stop a holder that was paused, so what is done under a lease is never irreversible by itself.
import { asKnibError, type Clock, KnibError, type Lease } from "@knib/core";
import type { LeaseFile, LeaseFiles, NewestLease } from "./lease-file.ts";

/** A lease whose counter stands still for this long may be taken by another host, ms. */
export const LEASE_MS = 60_000;

/** Renewals in a lease time. */
const RENEWALS = 6;

/** Runs something again and again until the function returned is called. */
export type Every = (ms: number, run: () => void) => () => void;

/** A timer that does not keep the process alive. */
export const everyInterval: Every = (ms, run) => {
	const timer = setInterval(run, ms);
	timer.unref();
	return () => clearInterval(timer);
};

/** What a host has seen of others' leases, by directory; kept by whoever opens repositories, so that it outlives one opening. */
export type LeaseSightings = Map<string, { readonly text: string; readonly since: number }>;

/** What leases need of the daemon. */
export type LeaseDeps = {
	readonly clock: Pick<Clock, "now" | "monotonic">;
	readonly leaseMs: number;
	readonly every: Every;
	readonly sightings: LeaseSightings;
};

const heldBy = (vm: string, newest: NewestLease | undefined): KnibError => {
	const holder = newest?.content?.holder;
	const details = { vm, ...(holder === undefined ? {} : { holder }), ...newest?.content };
	const who = holder === undefined ? "another host" : `host ${holder}`;
	return new KnibError("LEASE_HELD", `the lease of VM ${vm} is held by ${who}`, { details });
};

/** Whether somebody else's lease has stood still for the lease time as seen from here; remembers what it sees. */
const hasExpired = (deps: LeaseDeps, directory: string, newest: NewestLease): boolean => {
	const now = deps.clock.monotonic();
	const seen = deps.sightings.get(directory);
	if (seen?.text === newest.text) return now - seen.since >= deps.leaseMs;
	deps.sightings.set(directory, { text: newest.text, since: now });
	return false;
};

type Held = { readonly vm: string; readonly directory: string; readonly lease: LeaseFile };

const keepLease = (files: LeaseFiles, deps: LeaseDeps, held: Held): Lease => {
	const { vm, directory } = held;
	let current = held.lease;
	let renewedAt = deps.clock.monotonic();
	let work: Promise<unknown> = Promise.resolve();

	/** One at a time: a renewal that is under way when the lease is given back must not overwrite that. */
	const serially = <T>(run: () => Promise<T>): Promise<T> => {
		const next = work.then(run);
		work = next.catch(() => undefined);
		return next;
	};
	const assertNewest = async (): Promise<void> => {
		const newest = await files.newest(directory);
		if (newest?.fencing === current.fencing && !current.released) return;
		stop();
		throw heldBy(vm, newest);
	};
	const renew = async (): Promise<void> => {
		await assertNewest();
		current = { ...current, counter: current.counter + 1 };
		await files.write(directory, current);
		renewedAt = deps.clock.monotonic();
	};
	const stop = deps.every(Math.ceil(deps.leaseMs / RENEWALS), () => {
		// A renewal that fails is tried again at the next turn; `check` tells whoever relies on it.
		void serially(renew).catch(() => undefined);
	});
	return {
		vm,
		fencing: current.fencing,
		check: () =>
			serially(async () => {
				if (deps.clock.monotonic() - renewedAt >= deps.leaseMs) await renew();
				await assertNewest();
			}),
		release: () => {
			stop();
			return serially(async () => {
				if (current.released) return;
				const newest = await files.newest(directory);
				if (newest?.fencing !== current.fencing) return;
				current = { ...current, counter: current.counter + 1, released: true };
				await files.write(directory, current);
			});
		},
	};
};

/** Takes the lease of a VM for `holder`, or rejects with LEASE_HELD at once. The holder itself, after a crash, takes it again with a new
 * number. `lowest` gives the least number that was ever used, asked for when no lease is on record. */
export const takeLease = async (
	files: LeaseFiles,
	deps: LeaseDeps,
	wanted: {
		readonly vm: string;
		readonly directory: string;
		readonly holder: string;
		readonly lowest: () => Promise<number>;
	},
): Promise<Lease> => {
	const { vm, directory, holder } = wanted;
	const newest = await files.newest(directory);
	const free =
		newest === undefined || newest.content?.released === true || newest.content?.holder === holder;
	if (!free && !hasExpired(deps, directory, newest)) throw heldBy(vm, newest);
	const fencing = (newest?.fencing ?? (await wanted.lowest())) + 1;
	const lease = { holder, fencing, counter: 0, takenAt: deps.clock.now(), released: false };
	if (!(await files.claim(directory, lease))) throw heldBy(vm, await files.newest(directory));
	deps.sightings.delete(directory);
	await files.prune(directory).catch((thrown: unknown) => {
		if (asKnibError(thrown).code === "INTERNAL") throw thrown;
	});
	return keepLease(files, deps, { vm, directory, lease });
};
