"""Large language models behind one interface, `llm.Llm`: in this process (`embedded…`) or on a server (`openai_…`)."""
