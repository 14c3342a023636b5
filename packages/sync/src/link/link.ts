/** What a link tells its user. */
export type LinkListener = {
	readonly message: (text: string) => void;
	/** Called once, whoever closed it. Nothing comes afterwards. */
	readonly closed: (reason: string) => void;
};

/** A connection to one peer whose identity is proven. Texts arrive whole, in order or not at all. */
export interface Link {
	/** The host id that the peer has proven. */
	readonly peer: string;
	/** The keys that it has shown, up to the one of this link; absent within a process. */
	readonly succession?: string;
	/** Sends a text; nothing happens on a closed link. */
	send(text: string): void;
	/** Bytes that wait to be sent. */
	waiting(): number;
	/** Sets the one listener. What came before is told to it. */
	listen(listener: LinkListener): void;
	/** Closes it; repeatable. */
	close(reason: string): void;
}
