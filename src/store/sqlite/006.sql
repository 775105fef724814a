-- Format 6: stories wait to be related.

-- Stories that came into a topic and wait for their related news: the next publication chooses it for all of them at once.
CREATE TABLE unrelated (
    story INTEGER PRIMARY KEY
) STRICT;
