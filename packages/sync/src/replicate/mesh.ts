// All links of a host: who is connected, who has read how far, and what came from whom.
import { DOCUMENT_KINDS, type DocumentKind, type Judge, KnibError } from "@knib/core";
import type { Link } from "../link/link.ts";
import type { Live, LiveHandler } from "../wire/live.ts";
import { PeerCounter, type PeerCounts } from "../wire/peer-counts.ts";
import type { Lag, Replica } from "./replica.ts";
import { Session } from "./session.ts";

/** How long a tombstone is kept at least. */
export const TOMBSTONE_AGE_MS = 30 * 86_400_000;

/** What a mesh works with. */
export type MeshDeps = {
	/** This host's id. */
	readonly self: string;
	readonly replica: Replica;
	/** What this host knows now. */
	readonly judge: () => Judge;
	/** The members now, without those that were removed. */
	readonly members: () => readonly string[];
	/** How long an answer may take; 10 s. */
	readonly timeoutMs?: number;
	/** Answers peers' questions; absent: refuses them. */
	readonly handler?: LiveHandler;
	/** A link was opened or has ended. */
	readonly onChange?: () => void;
	/** How often digests are compared; 30 s. */
	readonly digestEveryMs?: number;
};

/** A host's part in the mesh. */
export interface Mesh {
	/** Puts a link to work. An older one to the same peer is closed, and so is one to a host that is no member. `onClosed` is called once when the link has ended. */
	add(link: Link, onClosed?: () => void): void;
	/** The peers whose links are open. */
	connected(): readonly string[];
	/** The live part of the link to a peer. Throws PEER_UNREACHABLE when there is none. */
	live(peer: string): Live;
	/** What a peer does not have yet of this host's log; undefined until it has said how far it is. */
	lag(peer: string): Lag | undefined;
	/** A connected peer's clock minus this host's when the link was opened, ms. */
	skew(peer: string): number | undefined;
	/** Pulls again what was dropped since nobody knew its writer: the members have changed. */
	recheck(): void;
	/** What came from a peer. */
	counts(peer: string): PeerCounts;
	/** Compares digests with all peers now. */
	compare(): Promise<void>;
	/** Closes the link to a peer, for instance since it was removed. */
	drop(peer: string, reason: string): void;
	/** Removes tombstones that are old and known to all members; answers how many. */
	purge(nowMs: number): Promise<number>;
	/** Closes all links; repeatable. */
	close(): void;
}

/** Keeps a replica and those of the peers equal over the links that are added. */
export const createMesh = (deps: MeshDeps): Mesh => {
	const { self, replica, judge, members, handler, onChange = () => undefined } = deps;
	const { timeoutMs = 10_000, digestEveryMs = 30_000 } = deps;
	const sessions = new Map<string, { readonly link: Link; readonly session: Session }>();
	const counters = new Map<string, PeerCounter>();
	const acknowledged = new Map<string, number>();
	const skews = new Map<string, number>();
	/** Kinds that have changed since digests were compared: they are busy, and peers that are behind would read all of them. */
	const busy = new Set<DocumentKind>();

	const counterOf = (peer: string): PeerCounter => {
		const counter = counters.get(peer) ?? new PeerCounter();
		counters.set(peer, counter);
		return counter;
	};

	const compare = async (): Promise<void> => {
		const idle = DOCUMENT_KINDS.filter((kind) => !busy.has(kind));
		busy.clear();
		for (const kind of idle) {
			const digest = await replica.digest(kind);
			if (busy.has(kind)) continue;
			for (const { session } of sessions.values()) session.digest(kind, digest);
		}
	};

	const unsubscribe = replica.subscribe((kind) => {
		busy.add(kind);
		for (const { session } of sessions.values()) session.dirty(kind);
	});
	// A store that cannot be read closes the links by its own failing pulls; here nothing is lost by waiting for the next turn.
	const timer = setInterval(() => {
		compare().catch(() => undefined);
	}, digestEveryMs);
	timer.unref();

	const readByAll = (kind: DocumentKind): number =>
		members()
			.filter((member) => member !== self)
			.reduce((least, m) => Math.min(least, acknowledged.get(`${m}/${kind}`) ?? 0), Infinity);

	return {
		add: (link, onClosed = () => undefined) => {
			if (!members().includes(link.peer)) {
				link.close("this host is not paired with the peer");
				onClosed();
				return;
			}
			sessions.get(link.peer)?.link.close("a newer link took its place");
			const session = new Session({
				self,
				link,
				replica,
				judge,
				timeoutMs,
				counter: counterOf(link.peer),
				onAcknowledged: (kind, seq) => {
					acknowledged.set(`${link.peer}/${kind}`, seq);
				},
				handler,
				onHello: (skewMs) => {
					skews.set(link.peer, skewMs);
				},
				onClosed: () => {
					if (sessions.get(link.peer)?.link === link) sessions.delete(link.peer);
					onClosed();
					onChange();
				},
			});
			sessions.set(link.peer, { link, session });
			session.start();
			onChange();
		},
		connected: () => [...sessions.keys()],
		live: (peer) => {
			const open = sessions.get(peer);
			if (open !== undefined) return open.session.live;
			throw new KnibError("PEER_UNREACHABLE", "there is no link to the peer now");
		},
		lag: (peer) => {
			const known = DOCUMENT_KINDS.flatMap((kind) => {
				const seq = acknowledged.get(`${peer}/${kind}`);
				return seq === undefined ? [] : [replica.lag(kind, seq)];
			});
			if (known.length === 0) return undefined;
			const times = known.flatMap(({ oldestAt }) => oldestAt ?? []);
			return {
				documents: known.reduce((sum, { documents }) => sum + documents, 0),
				oldestAt: times.length === 0 ? null : Math.min(...times),
			};
		},
		skew: (peer) => (sessions.has(peer) ? skews.get(peer) : undefined),
		recheck: () => {
			for (const { session } of sessions.values()) session.recheck();
		},
		counts: (peer) => counterOf(peer).counts,
		compare,
		drop: (peer, reason) => {
			sessions.get(peer)?.link.close(reason);
		},
		purge: async (nowMs) => {
			let purged = 0;
			for (const kind of DOCUMENT_KINDS) {
				const before = nowMs - TOMBSTONE_AGE_MS;
				purged += await replica.purge(kind, readByAll(kind), before);
			}
			return purged;
		},
		close: () => {
			unsubscribe();
			clearInterval(timer);
			for (const { link } of [...sessions.values()]) link.close("this host goes");
		},
	};
};
