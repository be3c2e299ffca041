-- Made after the rows: that is several times faster. The second index of each
-- table is the one that Farewell's paging needs: the tenant, then the key.
alter table crm.companies         add primary key (company_no);
alter table crm.people            add primary key (person_no);
alter table crm.conversations     add primary key (conversation_no);
alter table crm.conversation_tags add primary key (conversation_no, tag);
alter table crm.messages          add primary key (message_no);
alter table crm.files             add primary key (file_no);

create index on crm.companies     (client, company_no);
create index on crm.people        (client, person_no);
create index on crm.conversations (client, conversation_no);
create index on crm.messages      (client, conversation_no);
create index on crm.files         (client, conversation_no);

alter table crm.conversation_tags add foreign key (conversation_no) references crm.conversations on delete cascade;
alter table crm.messages          add foreign key (conversation_no) references crm.conversations on delete cascade;
alter table crm.files             add foreign key (conversation_no) references crm.conversations on delete cascade;

analyze crm.clients, crm.companies, crm.people, crm.conversations, crm.conversation_tags, crm.messages, crm.files;
