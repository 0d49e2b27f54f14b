"""Which answers of a device are refusals: what each platform says is data, one file a platform (`<platform>.toml`)."""
