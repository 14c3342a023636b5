import { join } from "node:path";
import type { Manifest } from "@knib/core";
import {
	createMemoryRepository,
	memoryStorage,
	type SimulatedLayer,
} from "../support/memory-repository.ts";
import { repositoryContract } from "./repository-contract.ts";
import { LEASE, manualTimer, type RepositoryHarness, testClock } from "./repository-harness.ts";
import { leaseContract } from "./repository-lease-contract.ts";

const open = async (): Promise<RepositoryHarness> => {
	const clock = testClock();
	const storage = memoryStorage();
	const layers = new Map<string, SimulatedLayer>();
	const removed = (directory: string): void => {
		for (const path of layers.keys()) if (path.startsWith(`${directory}/`)) layers.delete(path);
	};
	const files = {
		layer: (path: string) => layers.get(path),
		removed,
		renamed: (from: string, to: string) => {
			for (const [path, layer] of layers) {
				if (path.startsWith(`${from}/`)) layers.set(path.replace(from, to), layer);
			}
			removed(from);
		},
	};
	const host = () => {
		const timer = manualTimer();
		const options = { clock, storage, files, leaseMs: LEASE, every: timer.every };
		return { repository: createMemoryRepository(options), renew: timer.fire };
	};
	const a = host();
	return {
		a,
		b: host(),
		clock,
		place: async (manifest: Manifest) => {
			const { path } = await a.repository.incoming(manifest.identity.id);
			for (const layer of manifest.generation.layers) layers.set(join(path, layer.file), layer);
		},
		damage: async (backup, file) => {
			const path = join(backup.path, file);
			const layer = layers.get(path);
			if (layer !== undefined) layers.set(path, { ...layer, headerDigest: "00".repeat(32) });
		},
		close: async () => undefined,
	};
};

leaseContract(repositoryContract(open));
