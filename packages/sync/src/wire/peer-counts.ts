import { DROP_REASONS, type DropReason } from "@knib/core";

/** What came from a peer, good and bad, since this process started. */
export type PeerCounts = {
	/** Documents that were merged or were here already. */
	readonly accepted: number;
	/** Documents that were not merged, by reason. */
	readonly dropped: Readonly<Record<DropReason, number>>;
	/** Frames that were none; each closed its link. */
	readonly garbage: number;
	/** Frames that nobody asked for: answers given twice or too late, questions asked over one another. */
	readonly unexpected: number;
};

/** Counts what comes from one peer. */
export class PeerCounter {
	#accepted = 0;
	#garbage = 0;
	#unexpected = 0;
	readonly #dropped = new Map<DropReason, number>();

	accept(count: number): void {
		this.#accepted += count;
	}

	drop(reason: DropReason): void {
		this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
	}

	garbage(): void {
		this.#garbage += 1;
	}

	unexpected(): void {
		this.#unexpected += 1;
	}

	/** The counts now. */
	get counts(): PeerCounts {
		const of = (reason: DropReason): number => this.#dropped.get(reason) ?? 0;
		const [size, schema, writer, clock, signature] = DROP_REASONS.map(of);
		return {
			accepted: this.#accepted,
			dropped: {
				size: size ?? 0,
				schema: schema ?? 0,
				writer: writer ?? 0,
				clock: clock ?? 0,
				signature: signature ?? 0,
			},
			garbage: this.#garbage,
			unexpected: this.#unexpected,
		};
	}
}
