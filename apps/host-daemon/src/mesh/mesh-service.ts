// The host among its peers: who they are, the links to them, pairing, and what an operator may do with them.
import {
	type ConflictView,
	DOCUMENT_KINDS,
	type InviteView,
	KnibError,
	type PeerShown,
	type PeerView,
	type Role,
	type Store,
} from "@knib/core";
import {
	askToPair,
	createMesh,
	createVerifier,
	type KeyRules,
	type Listener,
	type Live,
	type LiveHandler,
	listenForPeers,
	type Replica,
	readPairingCode,
	splitAddress,
	writePairingCode,
} from "@knib/sync";
import type { Change } from "../catalog/change.ts";
import type { Config } from "../config.ts";
import type { Identity } from "../identity.ts";
import { listConflicts } from "./conflicts.ts";
import { createDialers } from "./dialers.ts";
import { fits } from "./fitting.ts";
import { createInvites } from "./invites.ts";
import { openKeyBook } from "./key-book.ts";
import { openLastSeen } from "./last-seen.ts";
import { openMemberBook } from "./member-book.ts";
import { ownAddress } from "./own-address.ts";
import { createOwnKey } from "./own-key.ts";
import { createPairing, type Welcome, welcomeSchema } from "./pairing.ts";
import { createPeerViews } from "./peer-views.ts";

type Deps = {
	readonly config: Pick<Config, "listen" | "advertise" | "stateDir">;
	readonly identity: Identity;
	readonly store: Store;
	readonly replica: Replica;
	readonly handler: LiveHandler;
	readonly now: () => string;
	readonly onProblem: (error: unknown) => void;
	/** Says that peers know this host by another key, or with null that they do not. */
	readonly alertKey: (words: string | null) => Promise<void>;
};

const SAVE_MS = 60_000;
const PURGE_MS = 3_600_000;
/** How often is looked who is linked. */
const LOOK_MS = 10_000;

type Paired = { readonly id: string; readonly name: string };

/** Starts the listener, if one is configured, and the links. Rejects with CONFIG_INVALID when the address cannot be taken. */
export const startMesh = async (deps: Deps) => {
	const { config, identity, store, replica, now, onProblem } = deps;
	const { id: self, name } = identity;
	const nowMs = (): number => Date.parse(now());
	const seen = await openLastSeen(`${config.stateDir}/peers.json`);
	const invites = createInvites(nowMs);
	const keys = await openKeyBook(`${config.stateDir}/peer-keys.json`, onProblem);
	const ownKey = createOwnKey({
		...{ identity, now },
		onRotated: () => renewLinks(),
		onProblem: (words) => {
			onProblem(new KnibError("REFUSED", words));
			deps.alertKey(words).catch(onProblem);
		},
	});
	const rules: KeyRules = { key: identity.key, newerKeys: keys.newer, onToldKeys: ownKey.hear };
	const changed = new Set<() => void>();
	const tell = (): void => {
		for (const listener of changed) listener();
	};
	const verify = createVerifier();
	const members = await openMemberBook({
		...{ store, replica, self: identity, onProblem },
		onChange: () => {
			for (const { id, removed } of members.others()) if (removed) mesh.drop(id, "it was removed");
			learnKeys();
			mesh.recheck();
			dialers.sync(members.others());
			tell();
		},
	});
	/** Takes up by which keys members have signed; a link by an older key ends. */
	const learnKeys = (): void => {
		for (const { id, successions } of members.others()) {
			const news = successions.map((succession) => keys.learn({ host: id, succession }));
			if (news.includes(true)) mesh.drop(id, "its key was replaced");
		}
		for (const succession of members.ownSuccessions()) ownKey.hear(succession);
	};
	const isMember = (host: string): boolean => members.get(host)?.removed === false;
	const noteSeen = (): void => {
		for (const peer of mesh.connected()) seen.note(peer, now());
	};
	const mesh = createMesh({
		self,
		replica,
		judge: () => ({
			isKnown: (host) => host === self || members.get(host) !== undefined,
			maySetPolicy: (host) => host === self || members.get(host)?.role !== "viewer",
			fits,
			verify,
			wallMs: nowMs(),
		}),
		members: () => [self, ...members.others().flatMap((one) => (one.removed ? [] : [one.id]))],
		handler: deps.handler,
		onChange: tell,
	});
	const add = (link: Parameters<typeof mesh.add>[0], ended?: () => void): void => {
		const { peer, succession = "" } = link;
		// What was shown when it was called may have been replaced meanwhile.
		if (keys.newer({ host: peer, succession }) !== undefined) {
			link.close("its key was replaced");
			ended?.();
			return;
		}
		keys.learn({ host: peer, succession });
		mesh.add(link, () => {
			seen.note(peer, now());
			ended?.();
		});
		seen.note(peer, now());
	};

	let listener: Listener | undefined;
	const whereToCall = (): string | undefined => ownAddress(config, listener?.port);
	const own = () => ({ name, address: whereToCall() ?? null });
	const answerPair = createPairing({ members, invites, own });
	const pair = async (...asked: Parameters<typeof answerPair>): Promise<Welcome> => {
		const welcome = await answerPair(...asked);
		if (identity.keySince() !== null) await introduce();
		return welcome;
	};
	const dialers = createDialers({
		...{ self, rules, onLink: add },
		listens: () => listener !== undefined,
		connected: () => mesh.connected(),
		isNew: (peer) => seen.at(peer) === null,
		onLeft: (peer) => mesh.drop(peer, "its documents pass through other hosts"),
	});
	learnKeys();
	if (ownKey.problem() === null) await deps.alertKey(null);
	if (config.listen !== undefined) {
		const place = splitAddress(config.listen);
		if (place === undefined) throw new KnibError("CONFIG_INVALID", `listen: ${config.listen}`);
		const options = {
			...{ ...place, ...rules, isMember },
			onLink: (link: Parameters<typeof add>[0]) => add(link),
			pair,
		};
		listener = await listenForPeers(options).catch((cause: unknown) => {
			const why = cause instanceof Error ? cause.message : String(cause);
			throw new KnibError("CONFIG_INVALID", `cannot listen on ${config.listen}: ${why}`, { cause });
		});
	}
	/** Says to the others how this host is called and where it listens. */
	const introduce = async (): Promise<void> => {
		if (members.others().length === 0) return;
		const { since } = ownKey.view();
		// What a newer key of this host has said is not to be taken back by an old one.
		const key = since === null || ownKey.problem() !== null ? {} : { keySince: since };
		await members.write(self, { name, address: whereToCall(), ...key });
	};
	/** Shows the new key wherever the old one was shown. */
	const renewLinks = async (): Promise<void> => {
		listener?.renew();
		for (const peer of mesh.connected()) mesh.drop(peer, "this host has a new key");
		await introduce();
	};
	await introduce();
	dialers.sync(members.others());
	const timers = [
		setInterval(() => {
			noteSeen();
			seen.save().catch(onProblem);
		}, SAVE_MS),
		setInterval(() => {
			mesh.purge(Date.now()).catch(onProblem);
		}, PURGE_MS),
		setInterval(() => dialers.look(members.others()), LOOK_MS),
	];
	for (const timer of timers) timer.unref();

	const assertAdmin = (what: string): void => {
		if (members.own() === "admin") return;
		throw new KnibError("REFUSED", `this host is an ${members.own()} here and may not ${what}`, {
			details: { hint: "do it on a host that is an admin: `knib peer list` shows the roles" },
		});
	};
	const views = createPeerViews({
		...{ mesh, seen, keys, now },
		keeps: (id) => dialers.keeps(id),
	});
	const nameOf = (host: string): string =>
		host === self ? name : (members.get(host)?.name ?? host.slice(0, 8));

	return {
		members,
		nameOf,
		isConnected: (id: string): boolean => mesh.connected().includes(id),
		/** True for a peer that this host keeps a link to, or tries to; the documents of others pass through these. */
		isKept: (id: string): boolean => dialers.keeps(id),
		lastSeen: (id: string): string | null => views.view(members.find(id)).lastSeen,
		/** The live part of the link to a peer; throws PEER_UNREACHABLE. */
		live: (id: string): Live => mesh.live(id),
		/** Told when members or links have changed; returns what ends that. */
		subscribe: (onChange: () => void): (() => void) => {
			changed.add(onChange);
			return () => changed.delete(onChange);
		},
		digests: async (): Promise<Readonly<Record<string, string>>> =>
			Object.fromEntries(
				await Promise.all(
					DOCUMENT_KINDS.map(async (kind) => [kind, await replica.digest(kind)] as const),
				),
			),
		conflicts: (): Promise<readonly ConflictView[]> => listConflicts(replica, nameOf),
		ownKey,
		keyOf: views.key,
		list: (): readonly PeerView[] => members.others().map(views.view),
		show: (text: string): PeerShown => views.show(members.find(text)),
		invite: (role: Role): InviteView => {
			assertAdmin("invite");
			const address = whereToCall();
			if (address === undefined) {
				throw new KnibError("REFUSED", "this host does not listen for peers", {
					details: { hint: "`knib init --listen HOST:PORT`, then start knibd again" },
				});
			}
			const { secret, until } = invites.make(role);
			return {
				code: writePairingCode({ host: self, address, secret }),
				expiresAt: new Date(until).toISOString(),
				host: { id: self, name },
				role,
			};
		},
		join: async (text: string): Promise<Change<Paired>> => {
			const code = readPairingCode(text);
			const place = code === undefined ? undefined : splitAddress(code.address);
			if (code === undefined || place === undefined) {
				throw new KnibError("USAGE", "this is no code of `knib peer invite`");
			}
			if (code.host === self) throw new KnibError("USAGE", "the code is one of this host itself");
			if (members.get(code.host)?.removed === true) {
				throw new KnibError("REFUSED", `peer ${nameOf(code.host)} was removed and stays so`);
			}
			return {
				type: "PeerJoin",
				explain: [
					`asks the host ${code.host} at ${code.address} to be paired`,
					"then both exchange all documents, and believe its word on roles here",
				],
				apply: async () => {
					const call = { ...rules, peer: code.host, ...place };
					const welcome = welcomeSchema.parse(
						await askToPair(call, { secret: code.secret, ...own() }),
					);
					await members.trust(code.host);
					const address = welcome.address ?? code.address;
					// Said to those as well who will join by this host: they believe it, and by it the one that it believes.
					await members.write(code.host, { name: welcome.name, address, role: "admin" });
					await introduce();
					return { id: code.host, name: welcome.name };
				},
			};
		},
		role: async (text: string, role: Role): Promise<Change<PeerView>> => {
			assertAdmin("give roles");
			const member = members.find(text);
			return {
				type: "PeerRole",
				explain: [`makes ${member.name} ${role} (now ${member.role})`],
				apply: async () => {
					await members.write(member.id, { role });
					return views.view(members.find(member.id));
				},
			};
		},
		remove: async (text: string): Promise<Change<PeerView>> => {
			assertAdmin("remove peers");
			const member = members.find(text);
			return {
				type: "PeerRemove",
				explain: [
					`removes ${member.name} for good: it comes back only with a new key`,
					"what it has told stays visible; its jobs and backups are not touched",
				],
				apply: async () => {
					await members.write(member.id, { removed: true });
					mesh.drop(member.id, "it was removed");
					return views.view(members.find(member.id));
				},
			};
		},
		stop: async (): Promise<void> => {
			for (const timer of timers) clearInterval(timer);
			noteSeen();
			dialers.stop();
			members.close();
			mesh.close();
			await listener?.close();
			await Promise.all([seen.save(), keys.saved()]);
		},
	};
};
export type MeshService = Awaited<ReturnType<typeof startMesh>>;
