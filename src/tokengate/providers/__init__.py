"""One file per vendor: address, credential, quirks. Pure: bytes in, requests and failures out."""
