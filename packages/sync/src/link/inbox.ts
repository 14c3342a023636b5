import type { LinkListener } from "./link.ts";

/** Texts kept for a listener that is not there yet; a peer that sends more before is up to no good. */
const KEPT = 16;

/** What a link received, told to its one listener in order, also what came before there was one. */
export class Inbox {
	#listener: LinkListener | undefined;
	#early: string[] = [];
	#closed: string | undefined;

	/** True once closed. */
	get isClosed(): boolean {
		return this.#closed !== undefined;
	}

	listen(listener: LinkListener): void {
		this.#listener = listener;
		for (const text of this.#early.splice(0)) listener.message(text);
		if (this.#closed !== undefined) listener.closed(this.#closed);
	}

	/** False when nobody listens and too much has come. */
	message(text: string): boolean {
		if (this.#closed !== undefined) return true;
		if (this.#listener !== undefined) this.#listener.message(text);
		else if (this.#early.push(text) > KEPT) return false;
		return true;
	}

	closed(reason: string): void {
		if (this.#closed !== undefined) return;
		this.#closed = reason;
		this.#listener?.closed(reason);
	}
}
